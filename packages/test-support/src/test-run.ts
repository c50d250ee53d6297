/**
 * What the tests of one run share. jest/before-tests.mjs makes it before the first test and
 * jest/after-tests.mjs removes every container and network that carries the run's label after the last one.
 */
export interface TestRun {
  /** Folder for what the run's processes tell each other. */
  readonly folder: string;
  /** Label of every container and network of the run. */
  readonly labels: Readonly<Record<string, string>>;
  /** Why containers cannot be started, or null when they can. */
  readonly withoutDocker: string | null;
}

/** Name of the label whose value says which run made a container. */
const RUN_LABEL = "push-reports.test-run";

/** @throws Error outside of Jest, where nothing would remove the containers. */
export function testRun(): TestRun {
  const folder = process.env["TEST_RUN_FOLDER"];
  const name = process.env["TEST_RUN_NAME"];
  if (folder === undefined || name === undefined)
    throw new Error("Containers are for tests that Jest runs: its global set-up has not been run");
  return {
    folder,
    labels: { [RUN_LABEL]: name },
    withoutDocker: process.env["TEST_RUN_WITHOUT_DOCKER"] || null,
  };
}
