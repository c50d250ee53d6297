export { CANARY_OPTION_GROUPS } from "./config.js";
export { createCanaryMetrics } from "./metrics.js";
