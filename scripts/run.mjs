/**
 * Runs a task of this repository: `node scripts/run.mjs <task> [arguments for Jest]`, which the npm scripts do.
 * It needs Node.js and a clone: what is not installed or not built, it installs and builds first.
 */
import { spawnSync } from "node:child_process";
import { bringUpToDate } from "./bring-up-to-date.mjs";
import { bin, ROOT } from "./root.mjs";

const OLDEST_NODE = [20, 19];

const TASKS = {
  start,
  check,
  test,
  "test:unit": (args) => endWith(runJest([["unit"]], args)),
  "test:integration": (args) => endWith(runJest([["integration"]], args)),
  "test:e2e": (args) => endWith(runJest([["e2e"]], args)),
  "test:compose": (args) => endWith(runJest([["compose"]], args)),
  docs,
};

refuseOldNode();
const [name, ...args] = process.argv.slice(2);
const task = TASKS[name];
if (task === undefined) {
  console.error(
    `There is no task ${name ?? "without a name"}. Tasks: ${Object.keys(TASKS).join(", ")}`,
  );
  process.exit(2);
}
bringUpToDate();
await task(args);

/** Runs in this very process, so that stop signals reach the service and its exit code is the one seen outside. */
async function start() {
  await import("../packages/standalone/dist/main.js");
}

/** Everything that needs no containers and no running service. Ends at the first step that fails. */
async function check(args) {
  const steps = [
    ["Format and lint", "biome", ["check", "--error-on-warnings"]],
    ["Types of the tests", "tsc", ["-p", "tsconfig.test.json"]],
    ["Dead code", "knip", ["--no-config-hints"]],
  ];
  for (const [title, tool, toolArgs] of steps) {
    console.log(`\n== ${title}`);
    const { status } = spawnSync(bin(tool), toolArgs, { cwd: ROOT, stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
  await endWith(runJest([["unit"]], args));
}

/** Every test. Projects run one after the other, since those with load and faults want the machine for themselves. */
async function test(args) {
  await endWith(runJest([["unit"], ["integration"], ["e2e"]], args));
}

async function docs() {
  await import("../packages/e2e/dist/write-docs.js");
}

async function runJest(projects, args) {
  const { runProjects } = await import("./run-jest.mjs");
  return runProjects(projects.flat(), args);
}

async function endWith(running) {
  process.exitCode = await running;
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  console.error(`Node.js ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.version}.`);
  process.exit(1);
}
