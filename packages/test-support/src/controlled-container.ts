import { getContainerRuntimeClient, type StartedTestContainer } from "testcontainers";

/** A container that a test can break and mend. It keeps its ports and its data until it is stopped. */
export class ControlledContainer {
  readonly #started: StartedTestContainer;
  readonly #isReady: () => Promise<void>;

  /** @param isReady resolves once the service in the container answers. */
  constructor(started: StartedTestContainer, isReady: () => Promise<void>) {
    this.#started = started;
    this.#isReady = isReady;
  }

  /** Freezes every process: connections stay open and nothing answers. */
  async pause(): Promise<void> {
    await (await this.#docker()).pause();
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
    return (await getContainerRuntimeClient()).container.getById(this.#started.getId());
  }
}
