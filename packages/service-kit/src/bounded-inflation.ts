import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import kafkajs from "kafkajs";

/** How much compressed batches may become. */
export interface InflationLimits {
  /** Once the batches of one fetch have inflated to so much, the rest of it is left to later ones, bytes. */
  readonly fetchBytes: number;
  /** A batch that inflates to more cannot be read, bytes. */
  readonly batchBytes: number;
}

/** A batch inflates to more than this process may hold: it cannot be read until the limit is raised. */
class BatchTooLargeError extends Error {
  override readonly name = "BatchTooLargeError";
  readonly code = "BATCH_TOO_LARGE";

  constructor(limitBytes: number, cause: unknown) {
    super(`A compressed batch inflates to more than ${limitBytes} bytes`, { cause });
  }
}

/**
 * What kafkajs takes for a batch that the answer ends within: it gives the records of the batches before it, and the next fetch begins
 * behind them. It knows the error by this name.
 */
class LeftForLaterError extends Error {
  override readonly name = "KafkaJSPartialMessageError";
}

/**
 * What the batches of each fetch have become so far, bytes. A fetch is known by the memory that its answer came in, which all its batches are slices
 * of: carrying it from call to call (AsyncLocalStorage) makes Node.js 20 follow every promise of the process. Small answers may share memory,
 * and the later of them be left for once more.
 */
const inflatedOf = new WeakMap<ArrayBufferLike, number>();
const inflate = promisify(gunzip);
const { CompressionCodecs, CompressionTypes } = kafkajs;
const kafkajsOwn = CompressionCodecs[CompressionTypes.GZIP];

/**
 * Gives kafkajs a gzip codec that bounds what it inflates. kafkajs' own inflates whatever a fetch brings, whose bound is on compressed
 * bytes: a thousand times as much at worst.
 */
export function boundInflation({ fetchBytes, batchBytes }: InflationLimits): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    ...kafkajsOwn(),
    decompress: async (compressed: Buffer) => {
      const before = inflatedOf.get(compressed.buffer) ?? 0;
      if (before >= fetchBytes)
        throw new LeftForLaterError("The fetch has inflated to as much as it may");
      const inflated = await inflateWithin(compressed, batchBytes);
      inflatedOf.set(compressed.buffer, before + inflated.length);
      return inflated;
    },
  });
}

async function inflateWithin(compressed: Buffer, limitBytes: number): Promise<Buffer> {
  try {
    return await inflate(compressed, { maxOutputLength: limitBytes });
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    throw code === "ERR_BUFFER_TOO_LARGE" ? new BatchTooLargeError(limitBytes, error) : error;
  }
}
