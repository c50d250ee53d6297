import { describe, expect, it } from "@jest/globals";
import { createLogger, SendError } from "@push-reports/service-kit";
import { FakeClock } from "@push-reports/test-support";
import type { Message } from "kafkajs";
import { KafkaDeadLetters } from "../../src/kafka-dead-letters.js";
import type { SourceRecord } from "../../src/record-source.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

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

  const noProgress = () => undefined;

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
    const first = deadLetters.setAside(bad, noProgress).catch((error: unknown) => error);
    const second = deadLetters.setAside(bad, noProgress);
    await clock.advance(1_000);
    expect(await first).toMatchObject({ failure: "passes_with_time" });
    await second;
    expect(closed).toEqual([1]);
    expect(sent).toEqual([2]);
    await deadLetters.close();
    expect(closed).toEqual([1, 2]);
    // What comes later connects nobody any more.
    await expect(deadLetters.setAside(bad, noProgress)).rejects.toMatchObject({
      failure: "passes_with_time",
    });
    expect(made).toBe(2);
  });

  /** A topic that takes batches up to a size, as a broker does, and what it has. */
  const aTopicOf = (mostBytes: number) => {
    const taken: Message[] = [];
    const sends: number[] = [];
    const sizeOf = ({ key, value, headers }: Message) =>
      (key?.length ?? 0) +
      (value?.length ?? 0) +
      Object.entries(headers ?? {}).reduce(
        (sum, [name, text]) => sum + name.length + (text?.length ?? 0),
        0,
      );
    const logger = new RecordedLogger();
    const deadLetters = new KafkaDeadLetters({
      createProducer: () => ({
        send: async (_partition, messages) => {
          sends.push(messages.length);
          if (messages.reduce((sum, message) => sum + sizeOf(message), 0) > mostBytes) {
            const cause = Object.assign(new Error("too large"), { type: "MESSAGE_TOO_LARGE" });
            throw new SendError("unknown_outcome", "A send failed", cause);
          }
          taken.push(...messages);
        },
        close: async () => undefined,
      }),
      sendTimeoutMs: 1_000,
      clock: new FakeClock(),
      logger,
    });
    const setAside = async (records: readonly Partial<SourceRecord>[]) =>
      deadLetters.setAside(
        {
          ...bad,
          records: records.map((record, offset) => ({
            ...bad.records[0],
            record: { ...bad.records[0].record, offset, ...record },
          })),
        },
        noProgress,
      );
    return { taken, sends, logger, setAside };
  };
  const values = (taken: readonly Message[]) => taken.map(({ value }) => value?.length ?? null);

  it("sends a letter that is too large for the topic without its value, and all others whole", async () => {
    const { taken, logger, setAside } = aTopicOf(20_000);
    const small = { value: Buffer.from("x") };
    const large = {
      value: Buffer.alloc(30_000),
      key: Buffer.from("key"),
      headers: { v: Buffer.from("1") },
    };
    await setAside([small, large, small, small]);
    expect(values(taken)).toEqual([1, null, 1, 1]);
    expect(taken[1]).toMatchObject({
      key: Buffer.from("key"),
      headers: {
        v: Buffer.from("1"),
        "dead-letter-reason": "not_json",
        "dead-letter-source": "kafka.test.1",
        "dead-letter-partition": "3",
        "dead-letter-offset": "1",
        "dead-letter-value-bytes": "30000",
        "dead-letter-left-out": "value: see the table dead_letters",
      },
    });
    expect(logger.of("dead_letter_shortened")).toMatchObject([
      { fields: { partition: 3, offset: 1 } },
    ]);
  });

  it("leaves long keys and headers out as well", async () => {
    const { taken, setAside } = aTopicOf(20_000);
    await setAside([{ headers: { long: Buffer.alloc(30_000) } }, { key: Buffer.alloc(30_000) }]);
    expect(
      taken.map(({ key, headers }) => [key, headers?.["long"], headers?.["dead-letter-left-out"]]),
    ).toEqual(
      Array(2).fill([null, undefined, "value, key and headers: see the table dead_letters"]),
    );
  });

  it("counts headers into what one send may have", async () => {
    const { taken, sends, setAside } = aTopicOf(1_000_000);
    await setAside(Array(20_000).fill({ value: null }));
    expect(taken).toHaveLength(20_000);
    expect(Math.max(...sends)).toBeLessThan(3_000);
  });

  it("says what to mend when the topic takes no letter at all", async () => {
    const { setAside } = aTopicOf(10);
    await expect(setAside([{}])).rejects.toMatchObject({ failure: "misconfigured" });
  });
});
