import type { expect, it } from "@jest/globals";

/** Jest's own, found at run time so that this package can be loaded by programs that are no tests. */
export interface JestGlobals {
  readonly expect: typeof expect;
  readonly it: typeof it;
}

/** What a suite declares its tests with. */
export function jestGlobals(): JestGlobals {
  return globalThis as unknown as JestGlobals;
}
