import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@push-reports/test-support";
import { type Ended, type Program, ServiceProcess } from "./service-process.js";

/** How standalone is started. */
interface StandaloneOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that runs the rest of its arguments, e.g. `["strace", "-f"]`. */
  readonly wrapper?: readonly string[];
  /** @default "standalone" */
  readonly program?: Program;
}

/** What the SQL endpoint answers. */
interface SqlAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Standalone as a process of its own, on a folder and on ports of its own, which it keeps when it is started again. */
export class StandaloneDeployment {
  readonly reports = "push_reports.reports";
  readonly url: string;
  readonly operationsUrl: string;
  readonly sqlUrl: string;
  readonly dataDir: string;
  readonly #environment: Readonly<Record<string, string>>;
  #process: ServiceProcess | null = null;

  private constructor(
    ports: { readonly http: number; readonly operations: number; readonly sql: number },
    environment: Readonly<Record<string, string>>,
  ) {
    const at = (port: number) => `http://127.0.0.1:${port}`;
    this.url = at(ports.http);
    this.operationsUrl = at(ports.operations);
    this.sqlUrl = at(ports.sql);
    this.dataDir = mkdtempSync(join(tmpdir(), "push-reports-standalone-"));
    this.#environment = {
      DATA_DIR: this.dataDir,
      HTTP_PORT: String(ports.http),
      OPERATIONS_PORT: String(ports.operations),
      SQL_PORT: String(ports.sql),
      RETENTION_MONTHS: "600",
      SHUTDOWN_DELAY_MS: "0",
      FRESHNESS_INTERVAL_MS: "500",
      ...environment,
    };
  }

  /** Starts it and waits until it is ready. */
  static async start(
    environment: Readonly<Record<string, string>> = {},
  ): Promise<StandaloneDeployment> {
    const deployment = await StandaloneDeployment.create(environment);
    await deployment.run();
    return deployment;
  }

  /** Makes the folder and chooses the ports. @param environment of each process. */
  static async create(
    environment: Readonly<Record<string, string>> = {},
  ): Promise<StandaloneDeployment> {
    const ports = { http: await freePort(), operations: await freePort(), sql: await freePort() };
    return new StandaloneDeployment(ports, environment);
  }

  /** Starts a process and waits until it is ready. */
  async run(options: StandaloneOptions = {}): Promise<ServiceProcess> {
    const process = this.spawn(options);
    this.#process = process;
    return process.untilReady();
  }

  /** Starts a process without waiting; it may be one that cannot run. */
  spawn(options: StandaloneOptions = {}): ServiceProcess {
    const { environment = {}, wrapper = [], program = "standalone" } = options;
    return new ServiceProcess(program, { ...this.#environment, ...environment }, wrapper);
  }

  /** Stops the process that runs, and gives all that it has written. */
  async stop(): Promise<string> {
    const { stdout, stderr } = await this.end("SIGTERM");
    return stdout + stderr;
  }

  /** Ends the process that runs. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<Ended> {
    if (this.#process === null) throw new Error("Nothing runs");
    return this.#process.end(signal);
  }

  /** Sends a report of an instance, and gives the status of its answer. */
  async report(instanceId: string, report: object): Promise<number> {
    const { status } = await fetch(`${this.url}/reporting_api/v2/instances/${instanceId}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(report),
    });
    return status;
  }

  /** One line of JSON per row of a `SELECT`. */
  async rows<T>(sql: string): Promise<readonly T[]> {
    const { status, text } = await this.ask(`${sql} FORMAT JSONEachRow`);
    if (status !== 200) throw new Error(`SQL was answered ${status}: ${text}`);
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  }

  /** Sends a statement as it is. @param params of the address. */
  async ask(
    sql: string,
    params: Readonly<Record<string, string>> = {},
    init: RequestInit = {},
  ): Promise<SqlAnswer> {
    const url = new URL(this.sqlUrl);
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
    const answer = await fetch(url, { method: "POST", body: sql, ...init });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** Ends it and removes its folder. */
  async dispose(): Promise<void> {
    await this.#process?.end("SIGKILL");
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
