/** How many times longer than on a fast machine something may take before a test gives it up. */
const PATIENCE = patienceOf(process.env["TEST_PATIENCE"]);

/**
 * A limit on waiting, ms, for the machine that this is: `TEST_PATIENCE` times `ms`. Continuous integration has more patience than a
 * developer who waits for a result; it lengthens no wait that ends well.
 */
export function patiently(ms: number): number {
  return ms * PATIENCE;
}

/** What `TEST_PATIENCE` stands for. @throws Error unless it is missing, empty or a number from 1 on. */
export function patienceOf(text: string | undefined): number {
  if (text === undefined || text === "") return 1;
  const factor = Number(text);
  if (factor >= 1 && Number.isFinite(factor)) return factor;
  throw new Error(`TEST_PATIENCE must be a number from 1 on, not "${text}"`);
}
