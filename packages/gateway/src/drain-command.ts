import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  createKafka,
  createLogger,
  type Environment,
  KAFKA_OPTIONS,
  readConfigGroups,
  systemClock,
  textOption,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { GATEWAY_OPTIONS } from "./config.js";
import { createSpillingPublisher, kafkaRequestTimeoutMs } from "./create-publisher.js";
import { type DrainEnd, drainSpill } from "./drain-spill.js";
import { createGatewayMetrics } from "./metrics.js";
import { logFolderOf } from "./spill/spill-store.js";

const USAGE = `drain [--patience-seconds N]
Takes what a gateway left in SPILL_DIR to Kafka, and ends. No gateway may use the folder meanwhile.
It gives up when nothing moves for N seconds (60), and can be begun again at any time: nothing is doubled.
Exit code 0: the spill is empty. 1: it is not, or damaged parts lie beside it. 2: it could not be looked at.
`;

/** Everything that `drain` reads from its environment, by theme: the gateway's own variables. */
export const DRAIN_OPTION_GROUPS = {
  drain: {
    spillDir: textOption({
      name: "SPILL_DIR",
      about: "Folder that a gateway had as its SPILL_DIR.",
      form: "path",
    }),
    spillMaxBytes: GATEWAY_OPTIONS.spillMaxBytes,
    maxBatchBytes: GATEWAY_OPTIONS.maxBatchBytes,
    compression: GATEWAY_OPTIONS.compression,
    answerDeadlineMs: GATEWAY_OPTIONS.answerDeadlineMs,
    logLevel: GATEWAY_OPTIONS.logLevel,
  },
  kafka: KAFKA_OPTIONS,
} as const;

/** A drain sends one batch at a time, and nothing else waits for Kafka. */
const NOTHING_ELSE = { lanes: 1, maxWaitingBytes: 65_536 };
/** What is under way when the command is asked to end may end within this, ms. */
const STOP_DRAIN_MS = 2_000;

/** How the command talks to whoever runs it. */
export interface DrainTerminal {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Asks the command to end. */
  readonly signal: AbortSignal;
}

/** Runs the command. @returns its exit code. @throws ConfigError, or what makes looking impossible. */
export async function runDrain(
  args: readonly string[],
  environment: Environment,
  terminal: DrainTerminal,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "patience-seconds": { type: "string", default: "60" },
      help: { type: "boolean", default: false },
    },
  });
  const patienceMs = Number(values["patience-seconds"]) * 1_000;
  if (values.help || !(patienceMs > 0)) {
    terminal.error(USAGE);
    return values.help ? 0 : 2;
  }
  const readFile = (path: string) => readFileSync(path, "utf8");
  const { drain: config, kafka: kafkaConfig } = readConfigGroups(
    DRAIN_OPTION_GROUPS,
    environment,
    readFile,
  );
  const folder = config.spillDir;
  if (!existsSync(logFolderOf(folder)))
    throw new Error(
      `There is no spill in ${folder}: no gateway has used it. Is the volume mounted, and SPILL_DIR as the gateway had it?`,
    );
  const logger = createLogger({ service: "drain", level: config.logLevel });
  const timeouts = { requestTimeoutMs: kafkaRequestTimeoutMs(config.answerDeadlineMs) };
  const made = createSpillingPublisher(
    {
      config: { ...config, ...NOTHING_ELSE },
      kafka: createKafka(kafkaConfig, timeouts, logger),
      topic: kafkaConfig.topic,
      stopDrainMs: STOP_DRAIN_MS,
      metrics: createGatewayMetrics(new Registry()),
      clock: systemClock,
      logger,
    },
    folder,
  );
  const { signal } = terminal;
  const end = await drainSpill({ made, patienceMs, signal, clock: systemClock, logger });
  const fault = faultOf(end, folder);
  if (fault === null) terminal.out(`${end.drained} records drained, ${folder} is empty.\n`);
  else terminal.error(`${end.drained} records drained. ${fault}\n`);
  return fault === null ? 0 : 1;
}

/** Why the folder must be kept; null when nothing is in it. */
function faultOf({ how, figures }: DrainEnd, folder: string): string | null {
  const { records, overtakenRecords, isUsable, damagedLogs } = figures;
  if (!isUsable)
    return `${folder} cannot be used: look at its permissions, its disk and the space on it.`;
  if (how === "stopped") return `It was stopped, and ${records} are left in ${folder}.`;
  if (how === "stuck" && overtakenRecords > 0)
    return `${records} are left in ${folder}; ${overtakenRecords} of them must go to a partition that has no leader now.`;
  if (how === "stuck")
    return `${records} are left in ${folder}, and Kafka takes none: look at KAFKA_BROKERS, the topic and the brokers.`;
  if (damagedLogs > 0)
    return `${damagedLogs} damaged logs lie in ${folder} (damaged-…) with reports that may not be on Kafka: keep them, see docs/runbook.md, PushReportsSpillDamaged.`;
  return null;
}
