import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** How many reports, to whom, and how. */
export interface LoadOptions {
  /** The gateway, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly count: number;
  /** Reports under way at once, each on a kept-alive connection of its own. */
  readonly connections: number;
  /** Reports begun a second at most, evenly; as many as the connections can take when it is not given. */
  readonly perSecond?: number;
  /** @default a new one */
  readonly instanceId?: string;
  /** Ends the load before `count` is reached; what is under way is still waited for. */
  readonly signal?: AbortSignal;
  /** Called after each answer or failure with the number of those so far. */
  readonly onProgress?: (sent: number) => void;
}

/** What became of one report. Each was sent once and is told from the others by its device. */
export interface SentReport {
  readonly deviceId: string;
  /** The status of the answer, or null when none came: the report may be durable or not. */
  readonly status: number | null;
  /** When the answer or the failure came, ms since 1970. */
  readonly endedAt: number;
}

/** Everything that was sent. */
export interface LoadResult {
  readonly instanceId: string;
  readonly reports: readonly SentReport[];
}

/** How long an answer may take, ms: as long as the Android SDK waits. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A connection whose report failed waits this long, ms, so that a dead gateway does not eat the whole load at once. */
const PAUSE_AFTER_FAILURE_MS = 50;

/** Sends reports over a fixed number of connections, each as soon as the last was answered, none of them twice. */
export async function sendReports(options: LoadOptions): Promise<LoadResult> {
  const instanceId = options.instanceId ?? randomUUID();
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const target = new URL(`/reporting_api/v2/instances/${instanceId}/events`, options.url);
  const reports: SentReport[] = [];
  let begun = 0;
  const startedAt = performance.now();
  const itsTurn = async (index: number) => {
    if (options.perSecond === undefined) return;
    const waitMs = startedAt + (index * 1_000) / options.perSecond - performance.now();
    if (waitMs > 0) await delay(waitMs);
  };
  const sendOnOneConnection = async () => {
    while (begun < options.count && !options.signal?.aborted) {
      begun += 1;
      await itsTurn(begun - 1);
      const deviceId = `web-${randomUUID()}`;
      const status = await post(target, agent, bodyOf(deviceId));
      reports.push({ deviceId, status, endedAt: Date.now() });
      options.onProgress?.(reports.length);
      if (status !== 200) await delay(PAUSE_AFTER_FAILURE_MS);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, sendOnOneConnection));
  agent.destroy();
  return { instanceId, reports };
}

function bodyOf(deviceId: string): string {
  return JSON.stringify({
    event: "delivery",
    publishId: "pubid-1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    deviceId,
    timestampSecs: 1_700_000_000,
    userId: null,
    appInBackground: true,
    hasDisplayableContent: true,
    hasData: false,
  });
}

function post(target: URL, agent: Agent, body: string): Promise<number | null> {
  return new Promise((resolve) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const sending = request(
      target,
      { method: "POST", agent, headers, timeout: ANSWER_TIMEOUT_MS },
      (answer) => {
        answer.resume();
        answer.on("error", () => resolve(null));
        answer.on("close", () => resolve(answer.complete ? (answer.statusCode ?? null) : null));
      },
    );
    sending.on("timeout", () => sending.destroy());
    sending.on("error", () => resolve(null));
    sending.end(body);
  });
}
