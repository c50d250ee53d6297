import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import kafkajs from "kafkajs";
import { boundInflation } from "../../src/bounded-inflation.js";
import { misconfigurationOf } from "../../src/kafka-misconfiguration.js";

const require = createRequire(import.meta.url);
const Decoder = require("kafkajs/src/protocol/decoder");
const Encoder = require("kafkajs/src/protocol/encoder");
const decodeMessages = require("kafkajs/src/protocol/requests/fetch/v4/decodeMessages");
const { RecordBatch } = require("kafkajs/src/protocol/recordBatch/v0");
const encodeRecord = require("kafkajs/src/protocol/recordBatch/record/v0");
const createRetry = require("kafkajs/src/retry");

const { CompressionCodecs, CompressionTypes } = kafkajs;
const MIB = 1_048_576;

describe("what compressed batches inflate to", () => {
  const usual = CompressionCodecs[CompressionTypes.GZIP];
  beforeEach(() => boundInflation({ fetchBytes: 2.5 * MIB, batchBytes: 2 * MIB }));
  afterEach(() => {
    CompressionCodecs[CompressionTypes.GZIP] = usual;
  });

  /** A partition's part of an answer: batches of one record each, which compresses a thousand times. */
  const answerOf = async (valueBytes: readonly number[]): Promise<Buffer> => {
    const batches = await Promise.all(
      valueBytes.map((length, firstOffset) =>
        RecordBatch({
          compression: CompressionTypes.GZIP,
          firstOffset,
          records: [encodeRecord({ key: Buffer.from("k"), value: Buffer.alloc(length, "x") })],
        }),
      ),
    );
    const bytes = Buffer.concat(batches.map(({ buffer }: { buffer: Buffer }) => buffer));
    return Buffer.concat([new Encoder().writeInt32(bytes.length).buffer, bytes]);
  };
  const decode = async (answer: Buffer): Promise<readonly string[]> => {
    const records = await decodeMessages(new Decoder(answer));
    return records.map(({ offset }: { offset: string }) => offset);
  };

  /** The same once more, as another fetch brings it. */
  const fetchedAgain = (answer: Buffer) => Buffer.from(new Uint8Array(answer).buffer);

  it("leaves batches to the next fetch once those of a fetch have inflated to what it may have", async () => {
    const answer = await answerOf([MIB, MIB, MIB, MIB]);
    expect(answer.length).toBeLessThan(MIB / 100);
    // Two partitions of one answer lie in the same memory.
    expect([await decode(answer), await decode(answer)]).toEqual([["0", "1", "2"], []]);
    expect(await decode(fetchedAgain(answer))).toEqual(["0", "1", "2"]);
  });

  it("counts fetches of several brokers at a time each for itself", async () => {
    const answer = await answerOf([MIB, MIB, MIB, MIB]);
    const fetches = [1, 2, 3].map(() => decode(fetchedAgain(answer)));
    expect(await Promise.all(fetches)).toEqual(Array(3).fill(["0", "1", "2"]));
  });

  it("refuses a batch that alone is too large, and kafkajs' last word on it says what to mend", async () => {
    const answer = await answerOf([3 * MIB]);
    await expect(decode(answer)).rejects.toMatchObject({
      code: "BATCH_TOO_LARGE",
    });
    const retry = createRetry({ retries: 1, initialRetryTime: 1 });
    const last = await retry(() => decode(answer)).catch((error: unknown) => error);
    expect(last).toMatchObject({ name: "KafkaJSNumberOfRetriesExceeded" });
    expect(misconfigurationOf(last)).toContain("KAFKA_MAX_BATCH_BYTES");
  });

  it("says of a batch that is no gzip what zlib says", async () => {
    const codec = CompressionCodecs[CompressionTypes.GZIP]();
    await expect(codec.decompress(Buffer.from("no gzip"))).rejects.toMatchObject({
      code: "Z_DATA_ERROR",
    });
  });
});
