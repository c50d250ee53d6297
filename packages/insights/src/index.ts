export { PAGE_OPTIONS } from "./config.js";
export { createInsightsMetrics } from "./metrics.js";
export { createInsightsService, createPageServer, INSIGHTS_OPTION_GROUPS } from "./service.js";
