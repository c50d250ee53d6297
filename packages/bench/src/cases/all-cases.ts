import type { BenchCase } from "./bench-case.js";
import { CONSUMER } from "./consumer-case.js";
import { GATEWAY_AGAINST_BARE, GATEWAY_AGAINST_PLAIN } from "./gateway-cases.js";
import { GATEWAY_LATENCY, GATEWAY_MEMORY, GATEWAY_OVERLOAD } from "./gateway-load-cases.js";
import { GROWTH_CONSUMER } from "./growth-consumer-case.js";
import { GROWTH_GATEWAY } from "./growth-gateway-case.js";
import { IDLE } from "./idle-case.js";
import { PROFILE } from "./profile-case.js";
import { ROLLING_RESTART } from "./rolling-restart-case.js";
import { STANDALONE } from "./standalone-case.js";
import { TRICKLE } from "./trickle-case.js";

/** Every case, in the order in which they run and stand on the page. */
export const CASES: readonly BenchCase[] = [
  GATEWAY_AGAINST_BARE,
  GATEWAY_AGAINST_PLAIN,
  GATEWAY_LATENCY,
  GATEWAY_MEMORY,
  GATEWAY_OVERLOAD,
  CONSUMER,
  ROLLING_RESTART,
  TRICKLE,
  STANDALONE,
  IDLE,
  GROWTH_GATEWAY,
  GROWTH_CONSUMER,
  PROFILE,
];
