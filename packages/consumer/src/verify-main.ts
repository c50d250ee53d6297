import process from "node:process";
import { parseArgs } from "node:util";
import { createKafka } from "@push-reports/service-kit";
import {
  createCommandTools,
  explain,
  readCommandConfig,
  readTextFile,
} from "./command-environment.js";
import { KafkaPositions } from "./kafka-positions.js";
import { type Verification, verify } from "./verify.js";

const USAGE = `verify [--since-days N] [--json]
Compares Kafka's offsets with the ledger and the ledger with the rows of reports.
Exit code 0: all is as booked. 1: something is missing or doubled. 2: it could not be found out.
`;
const DAY_MS = 86_400_000;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(explain(error));
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      "since-days": { type: "string", default: "7" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const days = Number(values["since-days"]);
  if (values.help || !(days > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const config = readCommandConfig(process.env);
  const tools = createCommandTools(config);
  const { requestTimeoutMs, groupId, source } = config.command;
  const kafka = createKafka(config.kafka, { requestTimeoutMs }, tools.logger, readTextFile);
  const admin = kafka.admin();
  try {
    await admin.connect();
    const positions = new KafkaPositions(admin, { topic: config.kafka.topic, groupId });
    const verification = await verify(tools.statements, {
      database: tools.database,
      source,
      since: new Date(Date.now() - days * DAY_MS),
      positions: await positions.readAll(),
    });
    process.stdout.write(
      values.json ? `${JSON.stringify(verification)}\n` : describe(verification),
    );
    return verification.discrepancies.length === 0 ? 0 : 1;
  } finally {
    await admin.disconnect();
    await tools.client.close();
  }
}

function describe(verification: Verification): string {
  const { partitions, ranges, waitingRecords, absentOffsets, discrepancies } = verification;
  const lines = discrepancies.map(
    ({ kind, partition, first, last, detail }) =>
      `${kind}: partition ${partition}, offsets ${first} to ${last}: ${detail}`,
  );
  const summary = `${ranges} ranges of ${partitions} partitions, ${waitingRecords} records waiting, ${absentOffsets} offsets absent, ${discrepancies.length} discrepancies`;
  return `${[...lines, summary].join("\n")}\n`;
}
