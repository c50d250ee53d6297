export * from "./config.js";
export { DRAIN_OPTION_GROUPS } from "./drain-command.js";
export { ERROR_RESPONSES, type ErrorResponse } from "./error-responses.js";
export { inflateBody } from "./inflate-body.js";
export { createGatewayMetrics } from "./metrics.js";
export { OPENAPI } from "./openapi.js";
export { waitingSince } from "./publish/waiting-since.js";
export * from "./report-publisher.js";
export { filesFor, openFilesLimit } from "./server/open-files.js";
export {
  createGatewayParts,
  createGatewayService,
  type GatewayMaterials,
  type GatewayParts,
} from "./service.js";
export { stopRestMs, tooShortStop } from "./stop-times.js";
export type { TrustedProxies } from "./trust-proxy.js";
