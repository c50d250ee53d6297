export * from "./config.js";
export { createGatewayMetrics } from "./metrics.js";
export * from "./report-publisher.js";
export {
  createGatewayParts,
  createGatewayService,
  createKafkaReportPublisher,
  type GatewayMaterials,
  type GatewayParts,
} from "./service.js";
