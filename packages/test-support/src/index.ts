export * from "./ask-clickhouse.js";
export {
  CLICKHOUSE_IMAGE,
  type ClickHouseEndpoint,
  type ClickHouseServer,
  type ClickHouseServerOptions,
  startClickHouse,
} from "./clickhouse-server.js";
export {
  CONFORMANCE_INSTANCE_ID,
  CONFORMANCE_PATH,
  type ConformanceAnswer,
  type ConformanceCase,
  type ConformanceRequest,
  type ConformanceTopic,
} from "./conformance/conformance-case.js";
export * from "./conformance/conformance-cases.js";
export * from "./conformance/openapi-answers.js";
export * from "./conformance/raw-request.js";
export * from "./conformance/send-conformance-case.js";
export * from "./conformance/send-wire-case.js";
export * from "./conformance/wire-cases.js";
export * from "./contracts/database-under-test.js";
export * from "./contracts/dead-letters-contract.js";
export * from "./contracts/judged-records-contract.js";
export * from "./contracts/ledger-contract.js";
export * from "./contracts/record-source-contract.js";
export * from "./contracts/report-publisher-contract.js";
export * from "./contracts/report-writer-contract.js";
export * from "./contracts/stored-reports-contract.js";
export * from "./create-topic.js";
export * from "./describe-with-containers.js";
export * from "./fake-clock.js";
export * from "./free-port.js";
export * from "./holding-proxy.js";
export { INTERNAL_PORT } from "./kafka-broker-environment.js";
export {
  KAFKA_IMAGE,
  type KafkaCluster,
  type KafkaClusterOptions,
  startKafka,
} from "./kafka-cluster.js";
export * from "./next-turn.js";
export { patiently } from "./patience.js";
export * from "./read-topic.js";
export * from "./report-builders.js";
export * from "./send-reports.js";
export * from "./shared-services.js";
export * from "./unique-name.js";
export * from "./wait-for.js";
