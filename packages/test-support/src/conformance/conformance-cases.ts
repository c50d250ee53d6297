import { ACCEPTED_CASES } from "./accepted-cases.js";
import type { ConformanceCase } from "./conformance-case.js";
import { ORDER_CASES } from "./order-cases.js";
import { PREFLIGHT_CASES } from "./preflight-cases.js";
import { REFUSED_CASES } from "./refused-cases.js";
import { SDK_CASES } from "./sdk-cases.js";

/** Every case, in the order of the documentation. Each stands alone and can be sent at any time. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...SDK_CASES,
  ...ACCEPTED_CASES,
  ...REFUSED_CASES,
  ...ORDER_CASES,
  ...PREFLIGHT_CASES,
];
