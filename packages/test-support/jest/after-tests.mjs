import { rmSync } from "node:fs";
import { removeContainersOf } from "./run-containers.mjs";

/** Jest's global tear-down: removes every container and network of this run, whatever its suites left behind. */
export default async function afterTests() {
  if (!process.env.TEST_RUN_WITHOUT_DOCKER) await removeContainersOf(process.env.TEST_RUN_NAME);
  rmSync(process.env.TEST_RUN_FOLDER, { recursive: true, force: true });
}
