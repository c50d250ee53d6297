import { hostname } from "node:os";

/** The label that this package puts on what it starts; its value is the name of the run. */
const RUN_LABEL = "push-reports.test-run";

/** A run is named after the machine and the process that Jest runs in. */
export const runNameOf = (pid) => `${hostname()}/${pid}`;

/** Removes the containers and networks that a run left. */
export async function removeContainersOf(runName) {
  const { docker } = await connect();
  await removeWhere(docker, (name) => name === runName);
}

/**
 * Removes what runs of this machine left that were killed before they could do it themselves.
 * @returns why no container can be started, or null when one can.
 */
export async function removeContainersOfDeadRuns() {
  const { docker, reason } = await connect();
  if (docker === null) return reason;
  await removeWhere(docker, (name) => {
    const [host, pid] = name.split("/");
    return host === hostname() && !isAlive(Number(pid));
  });
  return null;
}

async function connect() {
  try {
    const { getContainerRuntimeClient } = await import("testcontainers");
    return { docker: (await getContainerRuntimeClient()).container.dockerode, reason: null };
  } catch (error) {
    return { docker: null, reason: `no Docker engine answers: ${error.message}` };
  }
}

async function removeWhere(docker, isRunToRemove) {
  const filters = { label: [RUN_LABEL] };
  const containers = await docker.listContainers({ all: true, filters });
  const mine = (found) => found.filter(({ Labels }) => isRunToRemove(Labels[RUN_LABEL]));
  await Promise.all(
    mine(containers).map(({ Id }) =>
      removed(docker.getContainer(Id).remove({ force: true, v: true })),
    ),
  );
  const networks = await docker.listNetworks({ filters });
  await Promise.all(mine(networks).map(({ Id }) => removed(docker.getNetwork(Id).remove())));
}

/** Another process may remove the same thing at the same moment. */
const removed = (removal) =>
  removal.catch((error) => {
    if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
  });

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
