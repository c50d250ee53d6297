/** Resolves in a later turn of the event loop, once everything that can run has run. */
export async function nextTurn(turns = 1): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1)
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
}
