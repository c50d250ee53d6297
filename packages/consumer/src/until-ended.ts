/** Settles as `work` does, or rejects with the abort reason first; `work` goes on unheard then. */
export async function untilEnded<T>(work: Promise<T>, ended: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(ended.reason);
    ended.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) ended.removeEventListener("abort", onAbort);
  }
}
