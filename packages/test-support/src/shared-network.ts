import { startOnce } from "./start-once.js";
import { testRun } from "./test-run.js";
import { uniqueName } from "./unique-name.js";

/**
 * The Docker network of a run's Kafka clusters, which is removed with the run: a browser ends what it is asking for whenever the machine gets a
 * network more or less (`net::ERR_NETWORK_CHANGED`), and other suites may be at work in one. @returns its name.
 */
export async function sharedNetwork(): Promise<string> {
  const { name } = await startOnce("network", async () => {
    const made = { name: uniqueName("push-reports") };
    const { getContainerRuntimeClient } = await import("testcontainers");
    const { dockerode } = (await getContainerRuntimeClient()).container;
    await dockerode.createNetwork({ Name: made.name, Labels: { ...testRun().labels } });
    return made;
  });
  return name;
}
