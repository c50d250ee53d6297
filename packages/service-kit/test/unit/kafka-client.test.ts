import { describe, expect, it } from "@jest/globals";
import { FakeClock, freePort } from "@push-reports/test-support";
import { createKafka, KAFKA_OPTIONS, type LogFields, readConfig } from "../../src/index.js";

describe("a client of a Kafka that is away", () => {
  it("says each thing once a minute, with how many were left out", async () => {
    const broker = `127.0.0.1:${await freePort()}`;
    const lines: (LogFields | undefined)[] = [];
    const log = (_event: string, fields?: LogFields) => void lines.push(fields);
    const logger = { debug: log, info: log, warn: log, error: log };
    const clock = new FakeClock();
    const config = readConfig(KAFKA_OPTIONS, { KAFKA_BROKERS: broker }, () => "");
    const kafka = createKafka(config, { requestTimeoutMs: 1_000 }, logger, clock);
    const connectInVain = async () => {
      const admin = kafka.admin({ retry: { retries: 3, initialRetryTime: 1, maxRetryTime: 1 } });
      await expect(admin.connect()).rejects.toThrow();
      return lines.splice(0);
    };

    const atFirst = await connectInVain();
    expect(atFirst.length).toBeGreaterThan(0);
    const texts = atFirst.map((fields) => fields?.["message"]);
    expect(new Set(texts).size).toBe(texts.length);
    expect(await connectInVain()).toEqual([]);
    await clock.advance(60_000);
    expect(await connectInVain()).toContainEqual(
      expect.objectContaining({
        namespace: "Connection",
        message: expect.stringContaining("ECONNREFUSED"),
        leftOut: expect.any(Number),
      }),
    );
  });
});
