import { createClickHouse } from "@push-reports/consumer";
import { openFilesLimit } from "@push-reports/gateway";
import { createKafka, type Logger } from "@push-reports/service-kit";
import { checkClickHouse } from "./clickhouse-checks.js";
import type { DoctorConfig } from "./config.js";
import type { Finding } from "./finding.js";
import { checkKafka } from "./kafka-checks.js";
import { checkLimits } from "./limit-checks.js";
import { checkReporting } from "./reporting-checks.js";

/** How long one request to Kafka or ClickHouse may take, ms. */
const REQUEST_MS = 10_000;

/** Looks at everything, and changes nothing. @returns the findings of Kafka, of ClickHouse, of the reporting path where it is named, and of the limits. */
export async function examine(config: DoctorConfig, logger: Logger): Promise<readonly Finding[]> {
  const kafka = createKafka(config.kafka, { requestTimeoutMs: REQUEST_MS }, logger);
  const limits = { insertTimeoutMs: REQUEST_MS, maxConnections: 1 };
  const clickHouse = createClickHouse(config.clickHouse, limits, logger);
  try {
    const { reportingUrl } = config.expectations;
    const [ofKafka, ofClickHouse, ofReporting] = await Promise.all([
      checkKafka(kafka, config),
      checkClickHouse(clickHouse, config, Date.now),
      reportingUrl === null ? [] : checkReporting(reportingUrl),
    ]);
    const ofLimits = checkLimits(config, openFilesLimit());
    return [...ofKafka, ...ofClickHouse, ...ofReporting, ...ofLimits];
  } finally {
    await clickHouse.close();
  }
}
