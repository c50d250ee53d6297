import { readFileSync } from "node:fs";
import { ConfigError, type Environment } from "./env.js";
import { explain } from "./explain.js";
import type { Logger } from "./logger.js";

/** A whole service, as its process sees it. */
export interface Service {
  readonly logger: Logger;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves with the reason when the service can go on no longer and the process must end non-zero. */
  readonly failed: Promise<Error>;
}

/** The part of `process` that a service's life needs. */
export interface ProcessLike {
  readonly env: Environment;
  readonly stderr: { write(text: string): unknown };
  exitCode?: number | string | null | undefined;
  exit(code?: number): never;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** How long the last log lines may take to leave, ms. */
const FLUSH_MS = 100;
/** Two signals this close, ms, are one wish: npm passes a Ctrl-C on that the terminal has sent to every process already. */
const SAME_WISH_MS = 500;

/**
 * Runs a service until a stop signal (exit code 0), a failure or a wrong configuration (exit code 1).
 * A second signal ends the process at once (exit code 130).
 * @param createService reads its configuration from the environment; a {@link ConfigError} prints its faults.
 */
export async function runProcess(
  process: ProcessLike,
  createService: (environment: Environment, readFile: (path: string) => string) => Service,
): Promise<void> {
  const service = createOrExplain(process, createService);
  const end = (code: number) => setTimeout(() => process.exit(code), FLUSH_MS);
  const fail = (event: string, error: unknown) => {
    service.logger.error(event, { error });
    end(1);
  };
  process.on("uncaughtException", (error: Error) => fail("uncaught_exception", error));
  process.on("unhandledRejection", (error: unknown) => fail("unhandled_rejection", error));
  let stopAskedAt: number | null = null;
  const stop = (signal: string) => {
    if (stopAskedAt !== null) {
      if (Date.now() - stopAskedAt > SAME_WISH_MS) process.exit(130);
      return;
    }
    stopAskedAt = Date.now();
    service.logger.info("stop_requested", { signal });
    service.stop().then(
      () => {
        service.logger.info("stopped");
        end(0);
      },
      (error: unknown) => fail("stop_failed", error),
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  service.failed.then(
    (error) => fail("service_failed", error),
    (error: unknown) => fail("service_failed", error),
  );
  try {
    await service.start();
  } catch (error) {
    if (stopAskedAt === null) fail("start_failed", error);
  }
}

function createOrExplain(
  process: ProcessLike,
  createService: (environment: Environment, readFile: (path: string) => string) => Service,
): Service {
  try {
    return createService(process.env, (path) => readFileSync(path, "utf8"));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(explain(error));
    return process.exit(1);
  }
}
