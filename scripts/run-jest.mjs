import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { removeContainersOfDeadRuns } from "../packages/test-support/jest/run-containers.mjs";
import { ROOT } from "./root.mjs";

/**
 * Workers by project, for a machine with two cores: tests with containers wait much for brokers and databases, end to end tests less. Unit tests
 * wait for time-outs a third of theirs, on any machine.
 */
const WORKERS = {
  unit: String(Math.ceil(availableParallelism() * 1.5)),
  integration: "4",
  e2e: "2",
  compose: "1",
  faults: "2",
  mutants: "1",
  cluster: "1",
  alerts: "1",
  long: "1",
};
/** A unit test that takes longer hangs, ms; the others get the time of jest.config.mjs. */
const UNIT_TIMEOUT_MS = 60_000;

/** Runs Jest once for each project and prints one summary. @returns the exit code: 0 when nothing failed. */
export async function runProjects(projects, args) {
  const folder = mkdtempSync(join(tmpdir(), "push-reports-results-"));
  const outcomes = [];
  for (const project of projects) {
    console.log(`\n== Tests: ${project}`);
    const outcome = await runProject(project, args, join(folder, `${project}.json`));
    outcomes.push(outcome);
    if (outcome.signal !== null) break;
  }
  rmSync(folder, { recursive: true });
  return summarize(outcomes);
}

async function runProject(project, args, resultFile) {
  const { status, signal } = await endOf(
    spawn(
      process.execPath,
      [
        // Jest runs ES modules through this part of Node.js, which is not stable yet and says so at each start.
        "--experimental-vm-modules",
        "--disable-warning=ExperimentalWarning",
        join(ROOT, "node_modules", "jest", "bin", "jest.js"),
        `--selectProjects=${project}`,
        `--maxWorkers=${WORKERS[project]}`,
        ...(project === "unit"
          ? [`--testTimeout=${UNIT_TIMEOUT_MS * Number(process.env.TEST_PATIENCE || 1)}`]
          : []),
        "--passWithNoTests",
        "--json",
        `--outputFile=${resultFile}`,
        ...args,
      ],
      // With --json, standard output is the result that the file holds as well.
      { cwd: ROOT, stdio: ["inherit", "ignore", "inherit"] },
    ),
  );
  return { project, status, signal, result: readResult(resultFile) };
}

/** Waits for Jest's end; signals go to it first, so that it can stop what it started. `signal` is the one that this process got, or null. */
async function endOf(child) {
  let stoppedBy = null;
  const forward = (signal) => {
    stoppedBy = signal;
    child.kill(signal);
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const [code, signal] = await new Promise((resolve) => {
    child.on("exit", (...end) => resolve(end));
  });
  process.off("SIGINT", forward).off("SIGTERM", forward);
  if (signal !== null || code > 1) await removeContainersOfDeadRuns();
  return { status: code ?? 1, signal: stoppedBy };
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

function summarize(outcomes) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const notVerified = [];
  console.log("\n== Summary");
  for (const { project, status, result } of outcomes) {
    const counts = countsOf(status, result);
    for (const key of Object.keys(total)) total[key] += counts[key];
    notVerified.push(...skippedSuites(result).map((suite) => `${project}: ${suite}`));
    console.log(`${project}: ${asLine(counts)}`);
  }
  if (notVerified.length > 0) {
    console.log(
      "\nNOT VERIFIED, for want of what these suites need (the reasons are printed above):",
    );
    for (const suite of notVerified) console.log(`  - ${suite}`);
  } else {
    console.log("No suite was skipped.");
  }
  console.log(asLine(total));
  const isIncomplete = process.env.REQUIRE_EVERY_SUITE === "1" && notVerified.length > 0;
  if (isIncomplete)
    console.log("REQUIRE_EVERY_SUITE=1, but suites were skipped: install what they need.");
  return !isIncomplete && outcomes.every(({ status }) => status === 0) ? 0 : 1;
}

const asLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** A suite that could not be loaded, or a Jest that did not get to its end, counts as one failed test. */
function countsOf(status, result) {
  if (result === null) return { passed: 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

/** Titles of what was not run: whole suites where a test has one around it. */
function skippedSuites(result) {
  const tests = (result?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  const skipped = tests.filter(({ status }) => status === "pending" || status === "todo");
  return [...new Set(skipped.map(({ ancestorTitles, title }) => ancestorTitles[0] ?? title))];
}
