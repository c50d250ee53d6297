import { createRequire } from "node:module";

/*
 * The one place where kafkajs 2.2.4 is changed from outside. Each override names what it cures and has a test
 * (test/unit/kafkajs-overrides.test.ts) that fails when upstream changes underneath it.
 */

const require = createRequire(import.meta.url);

/** What of kafkajs' RequestQueue the override touches. */
interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** What of kafkajs' OffsetManager the override touches. */
interface OffsetManager {
  setDefaultOffset(at: { topic: string; partition: number }): Promise<void>;
}

const RequestQueueClass: { prototype: RequestQueue } = require("kafkajs/src/network/requestQueue");
const OffsetManagerClass: {
  prototype: OffsetManager;
} = require("kafkajs/src/consumer/offsetManager");
const {
  KafkaJSError,
}: { KafkaJSError: new (message: string) => Error } = require("kafkajs/src/errors");

/** kafkajs' own interval for looking at requests that wait for a free place, ms. */
const CHECK_PENDING_INTERVAL_MS = 10;

/**
 * Upstream re-arms a timer with a delay of at most 1 ms for ever on each idle connection, because it schedules a check
 * even when nothing waits: some 4 % of a core, and a TimeoutNegativeWarning on newer Node.js. Here the check is scheduled
 * only while requests wait; every new request and every response looks at the queue by itself.
 */
export function overrideIdleTimer(): void {
  RequestQueueClass.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : CHECK_PENDING_INTERVAL_MS,
    );
  };
}

/**
 * Upstream answers OFFSET_OUT_OF_RANGE by committing -1 or -2, which drops the intent that the committed offset carries.
 * Here it makes the member join anew instead: recovery then reads the watermarks and names what is absent.
 * `isRebalancing` of kafkajs recognises the error by this type.
 */
export function overrideOffsetReset(): void {
  OffsetManagerClass.prototype.setDefaultOffset = async ({ topic, partition }) => {
    const error = new KafkaJSError(`offset out of range in ${topic}/${partition}: joining anew`);
    throw Object.assign(error, { type: "REBALANCE_IN_PROGRESS" });
  };
}
