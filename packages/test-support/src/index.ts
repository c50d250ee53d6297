export * from "./ask-clickhouse.js";
export {
  CLICKHOUSE_IMAGE,
  type ClickHouseEndpoint,
  type ClickHouseServer,
  type ClickHouseServerOptions,
  startClickHouse,
} from "./clickhouse-server.js";
export * from "./conformance-cases.js";
export * from "./create-topic.js";
export * from "./describe-with-containers.js";
export * from "./free-port.js";
export {
  KAFKA_IMAGE,
  type KafkaCluster,
  type KafkaClusterOptions,
  startKafka,
} from "./kafka-cluster.js";
export * from "./read-topic.js";
export * from "./report-builders.js";
export * from "./send-conformance-case.js";
export * from "./send-reports.js";
export * from "./shared-services.js";
export * from "./unique-name.js";
export * from "./wait-for.js";
