import { AsyncLocalStorage } from "node:async_hooks";
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

/** What the batches of one fetch have become so far. */
interface FetchSoFar {
  inflatedBytes: number;
}

const fetches = new AsyncLocalStorage<FetchSoFar>();
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
      const fetch = fetches.getStore();
      if (fetch !== undefined && fetch.inflatedBytes >= fetchBytes)
        throw new LeftForLaterError("The fetch has inflated to as much as it may");
      const inflated = await inflateWithin(compressed, batchBytes);
      if (fetch !== undefined) fetch.inflatedBytes += inflated.length;
      return inflated;
    },
  });
}

/** Runs one fetch, its answer's decoding included. */
export function asOneFetch<T>(fetch: () => Promise<T>): Promise<T> {
  return fetches.run({ inflatedBytes: 0 }, fetch);
}

async function inflateWithin(compressed: Buffer, limitBytes: number): Promise<Buffer> {
  try {
    return await inflate(compressed, { maxOutputLength: limitBytes });
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    throw code === "ERR_BUFFER_TOO_LARGE" ? new BatchTooLargeError(limitBytes, error) : error;
  }
}
