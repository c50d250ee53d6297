import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeContainersOfDeadRuns, runNameOf } from "./run-containers.mjs";

/**
 * Jest's global set-up of the projects that use containers: names the run, makes its folder, finds out whether there is a
 * Docker engine, and tells the workers through their environment.
 */
export default async function beforeTests() {
  process.env.TEST_RUN_NAME = runNameOf(process.pid);
  process.env.TEST_RUN_FOLDER = mkdtempSync(join(tmpdir(), "push-reports-tests-"));
  // Containers are removed by label after the tests, so that no helper image is needed.
  process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
  process.env.TEST_RUN_WITHOUT_DOCKER = (await removeContainersOfDeadRuns()) ?? "";
}
