/**
 * Runs a task of this repository: `node scripts/run.mjs <task> [arguments for Jest]`, which the npm scripts do.
 * It needs Node.js and a clone: what is not installed or not built, it installs and builds first.
 */
import { spawnSync } from "node:child_process";
import { bringUpToDate } from "./bring-up-to-date.mjs";
import { prepareFaults, ROUND } from "./fault-arguments.mjs";
import { bin, ROOT } from "./root.mjs";

/** Argument of `check` for those who run every test afterwards anyway. */
const WITHOUT_TESTS = "--without-tests";
/** The schedules of faults that every change is tried with. */
const FIRST_ROUND = ["--seed", "0", "--seeds", String(ROUND)];
const OLDEST_NODE = [20, 19];

const TASKS = {
  start,
  demo,
  check,
  test,
  "test:unit": (args) => endWith(runJest([["unit"]], args)),
  "test:integration": (args) => endWith(runJest([["integration"]], args)),
  "test:e2e": (args) => endWith(runJest([["e2e"]], args)),
  "test:cluster": (args) => endWith(runJest([["cluster"]], args)),
  "test:long": (args) => endWith(runJest([["long"]], args)),
  "test:alerts": (args) => endWith(runJest([["alerts"]], args)),
  "test:faults": (args) => endWith(testFaults(args)),
  "test:compose": (args) => endWith(runJest([["compose"]], args)),
  bench,
  docs,
  erase: () => command("erase"),
  "import-publishes": () => command("import-publishes"),
  verify: () => command("verify"),
  replay: () => command("replay"),
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

/** A command on standalone's data folder; it sees its own arguments where any program sees them. */
async function command(which) {
  process.argv.splice(2, 1);
  await import(`../packages/standalone/dist/${which}-main.js`);
}

/** As start, with traffic to look at. */
async function demo() {
  await import("../packages/standalone/dist/demo-main.js");
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
  if (!args.includes(WITHOUT_TESTS)) await endWith(runJest([["unit"]], args));
}

/** Every test but the long ones. Projects run one after the other: two cores are busy with one, and side by side they would only take longer each. */
async function test(args) {
  // The same schedules each time: what fails is then the change's fault. New ones are looked for by `npm run test:faults`.
  prepareFaults(FIRST_ROUND);
  await endWith(runJest([["unit"], ["integration"], ["faults"], ["e2e"]], args));
}

/** See scripts/fault-arguments.mjs for what it takes besides arguments for Jest. */
function testFaults(args) {
  const { project, rest } = prepareFaults(args);
  return runJest([[project]], rest);
}

/** Measures; not a test, but it starts containers as tests do and removes them like those. */
async function bench() {
  process.argv.splice(2, 1);
  const { default: beforeTests } = await import("../packages/test-support/jest/before-tests.mjs");
  const { default: afterTests } = await import("../packages/test-support/jest/after-tests.mjs");
  await beforeTests();
  try {
    await import("../packages/bench/dist/main.js");
  } finally {
    await afterTests();
  }
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
