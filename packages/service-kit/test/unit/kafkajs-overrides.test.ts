import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  connectAs,
  overrideCommit,
  overrideFailedJoin,
  overrideIdleTimer,
  overrideOffsetReset,
} from "../../src/kafkajs-overrides.js";

const require = createRequire(import.meta.url);
const RequestQueue = require("kafkajs/src/network/requestQueue");
const OffsetManager = require("kafkajs/src/consumer/offsetManager");
const Runner = require("kafkajs/src/consumer/runner");
const ConsumerGroup = require("kafkajs/src/consumer/consumerGroup");
const { isRebalancing } = require("kafkajs/src/errors");

/** What the overrides were written against. Another version needs a new look at each of them. */
const VERSION = "2.2.4";
const sourceOf = (file: string) => readFileSync(require.resolve(`kafkajs/src/${file}`), "utf8");

/** The text of a method, from its name to the line that closes it. */
function methodOf(file: string, opening: string): string {
  const source = sourceOf(file);
  const from = source.indexOf(`\n  ${opening}`);
  if (from < 0) throw new Error(`kafkajs has no ${opening} in ${file} any more`);
  return source.slice(from, source.indexOf("\n  }\n", from));
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

describe("kafkajs, where it is overridden,", () => {
  it("is the version that the overrides were written against", () => {
    expect(require("kafkajs/package.json").version).toBe(VERSION);
  });

  it.each([
    ["network/requestQueue/index.js", "scheduleCheckPendingRequests()", "2cd1f42bf319a900"],
    ["consumer/offsetManager/index.js", "async setDefaultOffset(", "feb719d9ee2d441e"],
    ["consumer/runner.js", "commitOffsets(offsets)", "1a4c7f0577c74af8"],
    ["consumer/runner.js", "scheduleFetchManager()", "564c9de8a5615e46"],
    ["consumer/consumerGroup.js", "joinAndSync()", "bfc2f827d7b85e29"],
    ["consumer/consumerGroup.js", "async fetch(nodeId)", "a4a9b893ef8e4615"],
    ["broker/index.js", "async initProducerId(", "a152d8b94dbc5a83"],
  ])("has in %s the %s that was looked at", (file, opening, seen) => {
    expect(digest(methodOf(file, opening))).toBe(seen);
  });
});

describe("the idle timer", () => {
  const original = RequestQueue.prototype.scheduleCheckPendingRequests;
  afterEach(() => {
    RequestQueue.prototype.scheduleCheckPendingRequests = original;
  });

  /** A queue as a connection makes it, without one. */
  function aQueue() {
    const queue = Object.create(RequestQueue.prototype);
    let checks = 0;
    Object.assign(queue, { pending: [], throttledUntil: -1, throttleCheckTimeoutId: null });
    queue.checkPendingRequests = () => {
      checks += 1;
    };
    return { queue, checks: () => checks };
  }

  it("of kafkajs itself runs though nothing waits, which is why it is overridden", () => {
    const { queue } = aQueue();
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    clearTimeout(queue.throttleCheckTimeoutId);
  });

  it("does not run while nothing waits, and once for what does", async () => {
    overrideIdleTimer();
    const { queue, checks } = aQueue();
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();

    queue.pending.push({});
    queue.scheduleCheckPendingRequests();
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(checks()).toBe(1);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  it("waits until a broker's throttling is over", () => {
    overrideIdleTimer();
    const { queue, checks } = aQueue();
    queue.pending.push({});
    queue.throttledUntil = Date.now() + 60_000;
    queue.scheduleCheckPendingRequests();
    expect(checks()).toBe(0);
    expect(queue.throttleCheckTimeoutId._idleTimeout).toBeGreaterThan(50_000);
    clearTimeout(queue.throttleCheckTimeoutId);
  });
});

describe("the reset of an offset that is out of range", () => {
  it("makes the member join anew and commits nothing", async () => {
    overrideOffsetReset();
    const manager = Object.create(OffsetManager.prototype);
    const error: unknown = await manager
      .setDefaultOffset({ topic: "t", partition: 3 })
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("t/3");
    expect(isRebalancing(error)).toBe(true);
  });
});

describe("a join that fails", () => {
  const { joinAndSync, fetch } = ConsumerGroup.prototype;
  afterEach(() => Object.assign(ConsumerGroup.prototype, { joinAndSync, fetch }));

  /** A group whose coordinator answers a join as `coordinator` says, and that fetches nothing. */
  function aGroup(coordinator: { joinError: Error | null }) {
    const group = Object.create(ConsumerGroup.prototype);
    let fetches = 0;
    return Object.assign(group, {
      retrier: (attempt: (bail: (error: Error) => void) => Promise<void>) =>
        new Promise<void>((resolve, reject) => attempt(reject).then(resolve, reject)),
      cluster: {
        findGroupCoordinator: async () => {
          throw coordinator.joinError ?? new Error("It may join");
        },
        refreshMetadataIfNecessary: async () => {
          fetches += 1;
          throw new Error("It fetches");
        },
      },
      fetches: () => fetches,
    });
  }
  const loading = () =>
    Object.assign(new Error("loading"), { type: "GROUP_LOAD_IN_PROGRESS", retriable: true });

  it("lets kafkajs itself go on fetching, which is why it is overridden", async () => {
    const group = aGroup({ joinError: loading() });
    await expect(group.joinAndSync()).rejects.toThrow("loading");
    await expect(group.fetch(1)).rejects.toThrow("It fetches");
  });

  it("is followed by an order to join anew in place of a fetch", async () => {
    overrideFailedJoin();
    const group = aGroup({ joinError: loading() });
    await expect(group.joinAndSync()).rejects.toThrow("loading");
    const error: unknown = await group.fetch(1).catch((thrown: unknown) => thrown);
    expect(isRebalancing(error)).toBe(true);
    expect(group.fetches()).toBe(0);
  });
});

describe("a commit by the consumer", () => {
  const original = Runner.prototype.commitOffsets;
  afterEach(() => {
    Runner.prototype.commitOffsets = original;
  });

  function aRunner(outcome: () => Promise<void>) {
    const runner = Object.create(Runner.prototype);
    const commits: unknown[] = [];
    const consumerGroup = {
      commitOffsets: async (offsets: unknown) => {
        commits.push(offsets);
        await outcome();
      },
    };
    // Its stop has begun.
    Object.assign(runner, { running: false, consumerGroup, logger: { debug: () => undefined } });
    return { runner, commits };
  }

  it("of kafkajs itself does nothing once a stop has begun, which is why it is overridden", async () => {
    const { runner, commits } = aRunner(async () => undefined);
    await runner.commitOffsets({ topics: [] });
    expect(commits).toEqual([]);
  });

  it("is made while a stop is under way, once, and throws when it fails", async () => {
    overrideCommit();
    const good = aRunner(async () => undefined);
    await good.runner.commitOffsets({ topics: [] });
    expect(good.commits).toEqual([{ topics: [] }]);
    const bad = aRunner(() => Promise.reject(new Error("ILLEGAL_GENERATION")));
    await expect(bad.runner.commitOffsets({ topics: [] })).rejects.toThrow("ILLEGAL_GENERATION");
    expect(bad.commits).toHaveLength(1);
  });
});

describe("a producer's identity", () => {
  it("is missed when kafkajs does not ask for one while it connects", async () => {
    await expect(connectAs(null, async () => undefined)).rejects.toThrow("without an identity");
  });

  it("is the given one, and no broker is asked", async () => {
    const Broker = require("kafkajs/src/broker");
    const broker = Object.create(Broker.prototype);
    const given = { producerId: "4711", epoch: 3 };
    let answer: unknown;
    const taken = await connectAs(given, async () => {
      answer = await broker.initProducerId({});
    });
    expect(taken).toEqual(given);
    expect(answer).toEqual({ producerId: "4711", producerEpoch: 3 });
  });
});
