import { constants, open } from "node:fs/promises";

/** A path leads to something that is not read. */
export class UnfitFileError extends Error {
  override readonly name = "UnfitFileError";
  readonly code = "unfit_file";
}

/**
 * The text of a regular file; anything else could keep its reader waiting for ever.
 * @throws UnfitFileError when it is none, or larger than `maxBytes`; the system's error when it cannot be read.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<string> {
  // Without O_NONBLOCK, opening a pipe waits for whoever writes to it.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new UnfitFileError("it is no regular file");
    if (found.size > maxBytes) throw new UnfitFileError(`it has more than ${maxBytes} bytes`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
