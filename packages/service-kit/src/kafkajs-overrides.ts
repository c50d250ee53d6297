import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import type { ProducerIdentity } from "./durable-producer.js";

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

/** What of kafkajs' Runner the override touches. */
interface Runner {
  readonly consumerGroup: { commitOffsets(offsets: unknown): Promise<void> };
  commitOffsets(offsets: unknown): Promise<void>;
}

/** What of kafkajs' ConsumerGroup the override touches. */
interface ConsumerGroup {
  joinAndSync(): Promise<void>;
  fetch(nodeId: number): Promise<unknown>;
}

/** What of kafkajs' Broker the override touches. */
interface Broker {
  initProducerId(request: object): Promise<{ producerId: string; producerEpoch: number }>;
}

const RequestQueueClass: { prototype: RequestQueue } = require("kafkajs/src/network/requestQueue");
const OffsetManagerClass: {
  prototype: OffsetManager;
} = require("kafkajs/src/consumer/offsetManager");
const RunnerClass: { prototype: Runner } = require("kafkajs/src/consumer/runner");
const ConsumerGroupClass: {
  prototype: ConsumerGroup;
} = require("kafkajs/src/consumer/consumerGroup");
const BrokerClass: { prototype: Broker } = require("kafkajs/src/broker");
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
    throw joinAnew(`offset out of range in ${topic}/${partition}`);
  };
}

/** An error that makes kafkajs' runner join anew. */
function joinAnew(reason: string): Error {
  const error = new KafkaJSError(`${reason}: joining anew`);
  return Object.assign(error, { type: "REBALANCE_IN_PROGRESS" });
}

const { joinAndSync, fetch } = ConsumerGroupClass.prototype;
/** Groups whose last join failed. */
const unjoined = new WeakSet<ConsumerGroup>();

/**
 * Upstream's runner goes on fetching after a join that failed with an error that passes, such as a coordinator that is still loading its
 * groups (every restart of a broker makes one). Where the group has not noticed, heartbeats of the old generation succeed, and no join
 * follows, ever: whoever ended its work at REBALANCING waits for a GROUP_JOIN in vain. Here nothing is fetched after a failed
 * join but an order to join anew; as often as the runner retries anything, then it crashes and restarts by itself. And each fetch counts
 * what its batches inflate to (see `boundInflation`).
 */
export function overrideFailedJoin(): void {
  ConsumerGroupClass.prototype.joinAndSync = async function (this: ConsumerGroup) {
    try {
      await joinAndSync.call(this);
      unjoined.delete(this);
    } catch (error) {
      unjoined.add(this);
      throw error;
    }
  };
  ConsumerGroupClass.prototype.fetch = async function (this: ConsumerGroup, nodeId: number) {
    if (unjoined.has(this)) throw joinAnew("the last join failed");
    return await fetch.call(this, nodeId);
  };
}

/**
 * Upstream's `consumer.commitOffsets` resolves without committing once a stop has begun, and repeats a failed commit by itself, under
 * whatever generation the member has by then. Here it is one attempt, made at once, that throws when it fails: what a batch's
 * `commitOffsetsIfNecessary` does, without the need for a batch.
 */
export function overrideCommit(): void {
  RunnerClass.prototype.commitOffsets = async function (this: Runner, offsets: unknown) {
    await this.consumerGroup.commitOffsets(offsets);
  };
}

/** Who the producers are that connect within one call of {@link connectAs}. */
interface IdentitySlot {
  readonly given: ProducerIdentity | null;
  taken: ProducerIdentity | null;
}

const identitySlots = new AsyncLocalStorage<IdentitySlot>();
/** How many connect just now. */
let connecting = 0;
const askForIdentity = BrokerClass.prototype.initProducerId;

/**
 * Connects a producer under a given identity, or, for null, under a new one that a broker gives, and says which it is. Upstream always
 * asks for a new one and shows it to no one. It asks within `connect`, through this method of its broker.
 */
export async function connectAs(
  given: ProducerIdentity | null,
  connect: () => Promise<void>,
): Promise<ProducerIdentity> {
  BrokerClass.prototype.initProducerId = initProducerId;
  const slot: IdentitySlot = { given, taken: null };
  connecting += 1;
  try {
    await identitySlots.run(slot, connect);
  } finally {
    connecting -= 1;
    // As long as it is enabled, Node.js 20 follows every promise of the process, which costs a gateway some µs a report.
    if (connecting === 0) identitySlots.disable();
  }
  if (slot.taken === null) throw new KafkaJSError("kafkajs connected without an identity");
  return slot.taken;
}

async function initProducerId(this: Broker, request: object) {
  const slot = identitySlots.getStore();
  const given = slot?.given ?? null;
  const answer =
    given === null
      ? await askForIdentity.call(this, request)
      : { producerId: given.producerId, producerEpoch: given.epoch };
  if (slot) slot.taken = { producerId: answer.producerId, epoch: answer.producerEpoch };
  return answer;
}
