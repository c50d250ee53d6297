import { describe, expect, it } from "@jest/globals";
import { createLogger } from "@push-reports/service-kit";
import { FakeClock } from "@push-reports/test-support";
import { KafkaDeadLetters } from "../../src/kafka-dead-letters.js";

describe("setting aside in a topic", () => {
  const bad = {
    source: "kafka.test.1",
    partition: 3,
    name: "kafka.test.1/3/7-7/2026-01-01T00:00:00.000Z",
    records: [
      {
        record: { offset: 7, timestampMs: 0, key: null, value: Buffer.from("x"), headers: {} },
        reason: "not_json",
        detail: "",
        clickHouseCode: 0,
      },
    ],
  } as const;

  it("gives a send up that never ends, and its producer with it, so that the next one is made anew", async () => {
    const clock = new FakeClock();
    const closed: number[] = [];
    const sent: number[] = [];
    let made = 0;
    const deadLetters = new KafkaDeadLetters({
      createProducer: () => {
        made += 1;
        const number = made;
        return {
          send: async () => {
            if (number === 1) await new Promise<never>(() => undefined);
            sent.push(number);
          },
          close: async () => {
            closed.push(number);
          },
        };
      },
      sendTimeoutMs: 1_000,
      clock,
      logger: createLogger({ service: "test", level: "silent" }),
    });
    const first = deadLetters.setAside(bad).catch((error: unknown) => error);
    const second = deadLetters.setAside(bad);
    await clock.advance(1_000);
    expect(await first).toMatchObject({ failure: "passes_with_time" });
    await second;
    expect(closed).toEqual([1]);
    expect(sent).toEqual([2]);
    await deadLetters.close();
    expect(closed).toEqual([1, 2]);
    // What comes later connects nobody any more.
    await expect(deadLetters.setAside(bad)).rejects.toMatchObject({ failure: "passes_with_time" });
    expect(made).toBe(2);
  });
});
