import { describe, expect, it } from "@jest/globals";
import { SendError } from "@push-reports/service-kit";
import { nextTurn } from "@push-reports/test-support";
import {
  ANSWER_DEADLINE_MS,
  aDisconnectedPublisher,
  aStartedPublisher,
  CONNECT_TIMEOUT_MS,
  SEND_TIMEOUT_MS,
} from "../support/a-publisher.js";

const UNKNOWN = new SendError("unknown_outcome", "No answer");
const NOT_SENT = new SendError("not_sent", "No broker");
/** Turns of the event loop after which a lane has done what it can do by itself. */
const TURNS = 5;

describe("a lane", () => {
  it("sends what arrives in one turn as one batch to one partition, and the next batch to another", async () => {
    const { publish, producers } = await aStartedPublisher();
    const first = [publish("a"), publish("b"), publish("c")];
    await nextTurn(TURNS);
    expect(producers.sends.map(({ values }) => values)).toEqual([["a", "b", "c"]]);

    const second = publish("d");
    await nextTurn(TURNS);
    // One send in flight: what comes meanwhile waits for its end.
    expect(producers.sends).toHaveLength(1);
    expect(first[0]).toEqual({});

    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect(first).toEqual([{ value: "published" }, { value: "published" }, { value: "published" }]);
    expect(second).toEqual({});
    expect(producers.sends.map(({ values }) => values)).toEqual([["a", "b", "c"], ["d"]]);
    expect(producers.sends[1]?.partition).not.toBe(producers.sends[0]?.partition);
    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect(second).toEqual({ value: "published" });
    expect(producers.made).toBe(1);
  });

  it("keeps each batch within its bytes", async () => {
    const { publish, producers } = await aStartedPublisher({ maxBatchBytes: 2_500 });
    producers.isPrompt = true;
    const outcomes = Array.from({ length: 5 }, () => publish("x", 1_000));
    publish("large", 9_000);
    await nextTurn(20);
    expect(producers.sends.map(({ values }) => values.length)).toEqual([2, 2, 1, 1]);
    expect(outcomes.every(({ value }) => value === "published")).toBe(true);
  });

  it("fails a batch whose outcome is unknown, says where each record may lie, and sends none of it again", async () => {
    const { publish, producers, heard } = await aStartedPublisher();
    const outcomes = [publish("a"), publish("b")];
    await nextTurn(TURNS);
    const { partition, identity } = producers.last;
    producers.last.reject(UNKNOWN);
    await nextTurn(TURNS);
    const resendAs = (epoch: number) => ({ producerId: identity.producerId, epoch });
    expect(outcomes.map(({ error }) => error)).toMatchObject([
      { code: "timeout", sentTo: { partition, resendAs: resendAs(1) } },
      { code: "timeout", sentTo: { partition, resendAs: resendAs(2) } },
    ]);
    expect(heard).toEqual(["unknown_outcome", "asked anew"]);

    publish("c");
    await nextTurn(TURNS);
    expect(producers.last.values).toEqual(["c"]);
    // Not under the identity whose numbers are in doubt.
    expect(producers.last.identity.producerId).not.toBe(identity.producerId);
  });

  it("sends again, first of all, what cannot have been written", async () => {
    const { publish, producers } = await aStartedPublisher();
    const outcomes = [publish("a"), publish("b")];
    await nextTurn(TURNS);
    publish("c");
    producers.last.reject(NOT_SENT);
    await nextTurn(TURNS);
    expect(outcomes).toEqual([{}, {}]);
    expect(producers.last.values).toEqual(["a", "b", "c"]);
    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect(outcomes).toEqual([{ value: "published" }, { value: "published" }]);
  });

  it("gives up a send that does not end, with its producer", async () => {
    const { publish, producers, clock } = await aStartedPublisher();
    publish("a");
    await nextTurn(TURNS);
    const stuck = producers.last;
    await clock.advance(SEND_TIMEOUT_MS);
    expect(producers.closed).toEqual([stuck.producer]);

    const later = publish("b");
    await nextTurn(TURNS);
    expect(producers.last).toMatchObject({ producer: 1, values: ["b"] });
    stuck.acknowledge();
    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect(later).toEqual({ value: "published" });
  });

  it("lets a caller go whose time is over, and throws the producer away when that send ends well after all", async () => {
    const { publish, producers, clock } = await aStartedPublisher();
    const outcome = publish("a");
    await nextTurn(TURNS);
    await clock.advance(ANSWER_DEADLINE_MS);
    const { partition, identity } = producers.last;
    expect(outcome.error).toMatchObject({ code: "timeout", sentTo: { partition } });
    expect(producers.closed).toEqual([]);

    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect(producers.closed).toEqual([0]);
    publish("b");
    await nextTurn(TURNS);
    expect(producers.last.identity.producerId).not.toBe(identity.producerId);
  });

  it("keeps its producer when every send is acknowledged in time", async () => {
    const { publish, producers } = await aStartedPublisher();
    producers.isPrompt = true;
    for (let n = 0; n < 10; n += 1) {
      publish("a");
      await nextTurn(TURNS);
    }
    expect([producers.made, producers.connections, producers.closed]).toEqual([1, 1, []]);
  });

  it("tries again and again to connect, with pauses, while records wait", async () => {
    const { publish, producers, clock, publisher } = aDisconnectedPublisher("fails");
    const starting = publisher.start();
    const outcome = publish("a");
    await clock.advance(3_500);
    await starting;
    expect(producers.made).toBeGreaterThan(2);
    // Bounds of 100 ms to 1 s, at least half of each: no more than this in that time.
    expect(producers.made).toBeLessThan(20);
    producers.connecting = "succeeds";
    producers.isPrompt = true;
    await clock.advance(1_000);
    expect(outcome).toEqual({ value: "published" });
  });

  it("throws away a producer that does not get connected", async () => {
    const { producers, clock, publisher } = aDisconnectedPublisher("hangs");
    const starting = publisher.start();
    await clock.advance(CONNECT_TIMEOUT_MS + 1_000);
    await starting;
    expect(producers.made).toBe(2);
    expect(producers.closed).toEqual([0]);
    expect(publisher.isHealthy()).toBe(false);
  });

  it("waits while no partition has a leader", async () => {
    const { publish, producers, leaders, clock } = await aStartedPublisher();
    const known = leaders.partitions;
    leaders.partitions = [];
    const outcome = publish("a");
    await clock.advance(500);
    expect(producers.sends).toEqual([]);
    leaders.partitions = known;
    producers.isPrompt = true;
    await clock.advance(500);
    expect(outcome).toEqual({ value: "published" });
  });

  it("never has two sends of one lane in flight, nor two lanes on one partition while there are others", async () => {
    const { publish, producers, lanes } = await aStartedPublisher({ lanes: 3, maxBatchBytes: 1 });
    for (let n = 0; n < 9; n += 1) publish(`r${n}`);
    await nextTurn(TURNS);
    expect(producers.sends).toHaveLength(3);
    expect(new Set(producers.sends.map(({ partition }) => partition)).size).toBe(3);
    expect(new Set(producers.sends.map(({ producer }) => producer)).size).toBe(3);
    expect(lanes.every(({ isSending }) => isSending)).toBe(true);
    for (let n = 0; n < 9; n += 1) {
      producers.sends[n]?.acknowledge();
      await nextTurn(TURNS);
    }
    expect(producers.sends.flatMap(({ values }) => values).sort()).toEqual(
      Array.from({ length: 9 }, (_, n) => `r${n}`),
    );
  });
});
