import { encodeReport, type ReportRecord } from "@push-reports/report";
import {
  createKafka,
  createLogger,
  KAFKA_OPTIONS,
  readConfig,
  systemClock,
} from "@push-reports/service-kit";
import { aReceivedReport } from "@push-reports/test-support";
import { Registry } from "prom-client";
import { GATEWAY_OPTIONS, type GatewayConfig } from "../../src/config.js";
import {
  createPublisher,
  kafkaRequestTimeoutMs,
  type MadePublisher,
} from "../../src/create-publisher.js";
import { createGatewayMetrics } from "../../src/metrics.js";

/** A publisher to a real Kafka, not started. Name only the settings that the test is about. */
export function aKafkaPublisher(
  ...about: Parameters<typeof makeKafkaPublisher>
): MadePublisher["publisher"] {
  return makeKafkaPublisher(...about).publisher;
}

/** The same with what the readiness page would say of it. */
export function makeKafkaPublisher(
  brokers: readonly string[],
  topic: string,
  overrides: Partial<GatewayConfig> = {},
): MadePublisher {
  const environment = { KAFKA_BROKERS: brokers.join(","), KAFKA_TOPIC: topic };
  const config = { ...readConfig(GATEWAY_OPTIONS, {}, () => ""), ...overrides };
  const logger = createLogger({ service: "test", level: "silent" });
  const timeouts = { requestTimeoutMs: kafkaRequestTimeoutMs(config.answerDeadlineMs) };
  const kafka = createKafka(
    readConfig(KAFKA_OPTIONS, environment, () => ""),
    timeouts,
    logger,
  );
  const metrics = createGatewayMetrics(new Registry());
  return createPublisher({
    config,
    kafka,
    topic,
    stopDrainMs: 2_400,
    metrics,
    clock: systemClock,
    logger,
  });
}

/** A record and the id that names it in the topic. */
export function aRecord(): { readonly id: string; readonly record: ReportRecord } {
  const report = aReceivedReport();
  return { id: report.reportId, record: encodeReport(report) };
}
