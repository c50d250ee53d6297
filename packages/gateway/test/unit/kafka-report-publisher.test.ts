import { describe, expect, it } from "@jest/globals";
import { nextTurn } from "@push-reports/test-support";
import {
  ANSWER_DEADLINE_MS,
  aDisconnectedPublisher,
  aStartedPublisher,
  outcomeOf,
  SEND_TIMEOUT_MS,
} from "../support/a-publisher.js";

const TURNS = 5;

describe("the publisher to Kafka", () => {
  it("refuses at once what would exceed the bytes that may wait, those under way included", async () => {
    const { publish, producers, publisher } = await aStartedPublisher({ maxWaitingBytes: 5_000 });
    const first = publish("a", 2_000);
    await nextTurn(TURNS);
    const second = publish("b", 2_000);
    const third = publish("c", 2_000);
    await nextTurn(TURNS);
    expect(third.error).toMatchObject({ code: "overloaded", sentTo: null });
    expect([first, second]).toEqual([{}, {}]);
    expect(publisher.waitingBytes).toBeGreaterThan(4_000);
    expect(publisher.waitingBytes).toBeLessThanOrEqual(5_000);

    producers.last.acknowledge();
    await nextTurn(TURNS);
    const fourth = publish("d", 2_000);
    producers.last.acknowledge();
    await nextTurn(TURNS);
    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect([first, second, fourth]).toEqual(Array(3).fill({ value: "published" }));
    expect(publisher.waitingBytes).toBe(0);
  });

  it("settles every publish within the deadline, whatever Kafka does", async () => {
    const { publish, producers, clock } = await aStartedPublisher();
    const sent = publish("sent");
    await nextTurn(TURNS);
    const waiting = publish("waiting");
    await clock.advance(ANSWER_DEADLINE_MS);
    expect(sent.error).toMatchObject({ code: "timeout", sentTo: { partition: 0 } });
    expect(waiting.error).toMatchObject({ code: "timeout", sentTo: null });
    expect(producers.sends).toHaveLength(1);
  });

  it("says unavailable when nothing could be sent, and refuses at once when that has lasted", async () => {
    const { publish, publisher, producers, clock, leaders } = aDisconnectedPublisher("fails");
    const starting = publisher.start();
    await clock.advance(3_000);
    await starting;
    expect(publisher.isHealthy()).toBe(false);
    const early = publish("early");
    await clock.advance(ANSWER_DEADLINE_MS);
    expect(early.error).toMatchObject({ code: "unavailable", sentTo: null });
    await clock.advance(1_000);
    const late = publish("late");
    await nextTurn();
    expect(late.error).toMatchObject({ code: "unavailable" });

    producers.connecting = "succeeds";
    producers.isPrompt = true;
    await clock.advance(2_000);
    expect(publisher.isHealthy()).toBe(true);
    expect(leaders.partitions).not.toEqual([]);
    const healed = publish("healed");
    await nextTurn(TURNS);
    expect(healed).toEqual({ value: "published" });
  });

  it("lets all that wait settle when it stops, takes no more, and then closes its producers", async () => {
    const { publish, producers, publisher, leaders, clock } = await aStartedPublisher();
    const sent = publish("sent");
    await nextTurn(TURNS);
    const waiting = publish("waiting");
    const stopping = publisher.stop();
    const stopped = outcomeOf(stopping.then(() => "stopped"));
    const late = publish("late");
    await nextTurn(TURNS);
    expect(late.error).toMatchObject({ code: "stopping" });
    expect([stopped, producers.closed]).toEqual([{}, []]);

    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect(producers.last.values).toEqual(["waiting"]);
    producers.last.acknowledge();
    await nextTurn(TURNS);
    expect([sent, waiting]).toEqual([{ value: "published" }, { value: "published" }]);
    await clock.advance(1_000);
    await stopping;
    expect(producers.closed).toEqual([0]);
    expect(leaders.isStopped).toBe(true);
  });

  it("stops although Kafka answers nothing, once every caller was told", async () => {
    const { publish, publisher, clock } = await aStartedPublisher();
    const sent = publish("sent");
    await nextTurn(TURNS);
    const waiting = publish("waiting");
    const stopping = publisher.stop();
    await clock.advance(SEND_TIMEOUT_MS + 1_000);
    await stopping;
    expect(sent.error).toMatchObject({ code: "timeout" });
    expect(waiting.error).toMatchObject({ code: "timeout" });
  });
});
