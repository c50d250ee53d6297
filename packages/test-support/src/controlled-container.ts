import { setTimeout as delay } from "node:timers/promises";
import type { StartedTestContainer } from "testcontainers";

/** How long an orderly shutdown may take, s. */
const SHUT_DOWN_SECS = 30;
/** How often a container is tried to be frozen, and the time in between, ms. */
const FREEZE_ATTEMPTS = 50;
const FREEZE_AGAIN_MS = 100;

/** A container that a test can break and mend. It keeps its ports and its data until it is stopped. */
export class ControlledContainer {
  readonly #started: StartedTestContainer;
  readonly #isReady: () => Promise<void>;

  /** @param isReady resolves once the service in the container answers. */
  constructor(started: StartedTestContainer, isReady: () => Promise<void>) {
    this.#started = started;
    this.#isReady = isReady;
  }

  /**
   * Freezes every process: connections stay open and nothing answers. Linux freezes no process in the middle of a write to the disk, and
   * Docker gives up soon when there is one, with every process thawed again: then it is asked again.
   */
  async pause(): Promise<void> {
    const container = await this.#docker();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await container.pause();
      } catch (error) {
        const { State } = await container.inspect();
        if (State.Paused) return;
        if (!State.Running || attempt === FREEZE_ATTEMPTS) throw error;
        await delay(FREEZE_AGAIN_MS);
      }
    }
  }

  /** Its first process, as this machine counts processes; 0 while it does not run. */
  async pid(): Promise<number> {
    const { State } = await (await this.#docker()).inspect();
    return State.Pid;
  }

  async unpause(): Promise<void> {
    await (await this.#docker()).unpause();
  }

  /** SIGKILL. Resolves once the processes are gone. */
  async kill(): Promise<void> {
    const container = await this.#docker();
    const gone = container.wait();
    await container.kill();
    await gone;
  }

  /** SIGTERM, as an orderly shutdown; SIGKILL after half a minute. Resolves once the processes are gone. */
  async shutDown(): Promise<void> {
    await (await this.#docker()).stop({ t: SHUT_DOWN_SECS });
  }

  /** Starts it again, after {@link kill} or as it runs, and waits until it answers. */
  async restart(): Promise<void> {
    const container = await this.#docker();
    const { State } = await container.inspect();
    if (State.Running) await this.kill();
    await container.start();
    await this.#isReady();
  }

  /** Runs a command inside. @throws Error with its output when it ends non-zero. */
  async exec(command: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.#started.exec([...command]);
    if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}: ${output}`);
    return output;
  }

  /** Removes it with its data. */
  async stop(): Promise<void> {
    const { State } = await (await this.#docker()).inspect();
    // Docker stops no container that is paused.
    if (State.Paused) await this.unpause();
    await this.#started.stop({ timeout: 0 });
  }

  async #docker() {
    const { getContainerRuntimeClient } = await import("testcontainers");
    return (await getContainerRuntimeClient()).container.getById(this.#started.getId());
  }
}
