import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { createLogger, explain, readConfigGroups, systemClock } from "@push-reports/service-kit";
import { DOCTOR_OPTION_GROUPS } from "./config.js";
import { examine } from "./doctor.js";
import { lineOf } from "./finding.js";
import { lookAgain } from "./look-again.js";

const USAGE = `doctor [--json] [--wait-seconds N]
Looks at a deployment's Kafka, ClickHouse, clocks and limits, and changes nothing. One line a finding, with the fix.
  --json             one JSON object a finding
  --wait-seconds N   while something is failed, look again for N seconds: for init containers and Jobs
Exit code 0: ok, perhaps with warnings. 1: something failed. 2: it could not look.
`;
const MAX_WAIT_SECONDS = 86_400;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`doctor could not look. ${explain(error)}`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      "wait-seconds": { type: "string", default: "0" },
    },
  });
  if (values.help) {
    process.stderr.write(USAGE);
    return 0;
  }
  const waitSeconds = Number(values["wait-seconds"]);
  if (!(waitSeconds >= 0 && waitSeconds <= MAX_WAIT_SECONDS))
    throw new Error(`--wait-seconds needs a number from 0 to ${MAX_WAIT_SECONDS}`);
  const readFile = (path: string) => readFileSync(path, "utf8");
  const config = readConfigGroups(DOCTOR_OPTION_GROUPS, process.env, readFile);
  // What kafkajs and the client would log is in the findings.
  const logger = createLogger({ service: "doctor", level: "silent" });
  const look = () => examine(config, logger);
  const findings = await lookAgain(look, waitSeconds * 1_000, systemClock);
  for (const finding of findings)
    process.stdout.write(`${values.json ? JSON.stringify(finding) : lineOf(finding)}\n`);
  return findings.some(({ status }) => status === "failed") ? 1 : 0;
}
