import { describe, expect, it } from "@jest/globals";
import { decodeReport } from "@push-reports/report";
import type { IHeaders, KafkaMessage } from "kafkajs";
import { detached, sourceRecordOf } from "../../src/kafka-source-record.js";
import { buildRowLines } from "../../src/row-lines.js";
import { goodRecord } from "../fakes/record-builders.js";

const aMessage = (headers: unknown, value: Buffer | null = goodRecord().value): KafkaMessage => ({
  key: Buffer.from("web-1"),
  value,
  timestamp: "1767323045678",
  attributes: 0,
  offset: "9007199254740991",
  headers: headers as IHeaders,
});
const V1 = Buffer.from("1");

describe("a record from Kafka", () => {
  it("does not keep its batch in memory once it is detached from it", () => {
    const batch = Buffer.alloc(1_000, "x");
    const message = aMessage({ v: batch.subarray(0, 1), none: null }, batch.subarray(1, 500));
    const record = sourceRecordOf({ ...message, key: batch.subarray(500, 510) });
    const own = detached(record);
    expect(own).toEqual(record);
    for (const bytes of [own.key, own.value, own.headers["v"]])
      expect(bytes?.buffer).not.toBe(batch.buffer);
  });

  it("keeps offset, timestamp, key, value and headers", () => {
    const message = aMessage({ v: V1, again: Buffer.from("x") });

    expect(sourceRecordOf(message)).toEqual({
      offset: Number.MAX_SAFE_INTEGER,
      timestampMs: 1_767_323_045_678,
      key: message.key,
      value: message.value,
      headers: { v: V1, again: Buffer.from("x") },
    });
  });

  it("may be a tombstone without headers", () => {
    expect(sourceRecordOf(aMessage(undefined, null))).toMatchObject({ value: null, headers: {} });
  });

  it("takes the last of a header that is there several times", () => {
    expect(sourceRecordOf(aMessage({ v: [Buffer.from("7"), V1] })).headers).toEqual({ v: V1 });
  });

  it("is set aside, and breaks nothing, when its version has no value", () => {
    const record = sourceRecordOf(aMessage({ v: null, again: null }));

    expect(record.headers).toEqual({ v: Buffer.alloc(0), again: Buffer.alloc(0) });
    expect(decodeReport(record)).toMatchObject({ ok: false, reason: "unknown_version" });
    expect(buildRowLines({ source: "test.1", partition: 0 }, [record]).unreadable).toHaveLength(1);
  });
});
