import type { describe, it } from "@jest/globals";
import { testRun } from "./test-run.js";

/** What a suite needs: an endpoint may come from the environment, faults need containers of our own. */
export type ContainerNeed = "docker" | "kafka" | "clickhouse";

/** Jest's own, found at run time so that this package can be loaded by programs that are no tests. */
interface JestGlobals {
  readonly describe: typeof describe;
  readonly it: typeof it;
}

/**
 * Declares a suite that needs real services. Where they cannot be had, the suite is skipped and its name printed as not
 * verified; with `REQUIRE_CONTAINERS=1` it fails instead.
 */
export function describeWithContainers(
  name: string,
  needs: readonly ContainerNeed[],
  body: () => void,
): void {
  const jest = globalThis as unknown as JestGlobals;
  const missing = needs.map(reasonMissing).find((reason) => reason !== null);
  if (missing === undefined) {
    jest.describe(name, body);
  } else if (process.env["REQUIRE_CONTAINERS"] === "1") {
    jest.describe(name, () => {
      jest.it("has the containers that it needs", () => {
        throw new Error(`REQUIRE_CONTAINERS=1, but ${missing}`);
      });
    });
  } else {
    console.warn(`NOT VERIFIED: ${name} (${missing})`);
    jest.describe.skip(name, body);
  }
}

/** The variable that names an endpoint to use instead of a container. */
const ENDPOINT_VARIABLE: Readonly<Record<ContainerNeed, string | null>> = {
  docker: null,
  kafka: "KAFKA_BROKERS_FOR_TESTS",
  clickhouse: "CLICKHOUSE_URL_FOR_TESTS",
};

function reasonMissing(need: ContainerNeed): string | null {
  const variable = ENDPOINT_VARIABLE[need];
  if (variable !== null && process.env[variable]) return null;
  return testRun().withoutDocker;
}
