import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { LatencyHistogram } from "../load/latency-histogram.js";
import type { Standalone } from "../services/standalone.js";

const PROBE_EVERY_MS = 50;
const LOOK_EVERY_MS = 25;
const LAST_WAIT_MS = 30_000;

/**
 * Sends a report of its own every 50 ms, one at a time, and looks for it by SQL every 25 ms: how long it takes from a report's 200 until a query
 * finds it. A report that no query found half a minute later is an error.
 */
export async function watchQueryable(
  standalone: Standalone,
  forMs: number,
): Promise<LatencyHistogram> {
  const instance = randomUUID();
  const url = `http://127.0.0.1:${standalone.server.port}/reporting_api/v2/instances/${instance}/events`;
  const latency = new LatencyHistogram();
  /** When each device's report was answered. */
  const waiting = new Map<string, number>();
  const endsAt = performance.now() + forMs;
  let isSending = true;
  const looking = look();
  while (performance.now() < endsAt) {
    const deviceId = randomUUID();
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event: "open", publishId: "probe", deviceId, timestampSecs: 1 }),
    });
    if (answer.status === 200) waiting.set(deviceId, performance.now());
    await answer.arrayBuffer();
    await delay(PROBE_EVERY_MS);
  }
  isSending = false;
  await looking;
  return latency;

  async function look(): Promise<void> {
    while (isSending || waiting.size > 0) {
      if (performance.now() > endsAt + LAST_WAIT_MS)
        throw new Error(`${waiting.size} reports that were answered 200 cannot be queried`);
      await lookOnce();
      await delay(LOOK_EVERY_MS);
    }
  }

  async function lookOnce(): Promise<void> {
    const found = await standalone.ask(
      `SELECT device_id FROM push_reports.reports WHERE instance_id = '${instance}' FORMAT TSV`,
    );
    const now = performance.now();
    for (const deviceId of found.split("\n")) {
      const answeredAt = waiting.get(deviceId);
      if (answeredAt === undefined) continue;
      latency.record(now - answeredAt);
      waiting.delete(deviceId);
    }
  }
}
