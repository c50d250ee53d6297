import { randomUUID } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { describeWithContainers, sendRaw, waitFor } from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

/** What runs with the most talkative logs. */
interface Talkative {
  readonly url: string;
  readonly reports: string;
  rows<T>(sql: string): Promise<readonly T[]>;
  stop(): Promise<string>;
  dispose(): Promise<void>;
}

const MARK = `mark${randomUUID().replaceAll("-", "")}`;
const ADDRESS = "203.0.113.77";
const EVERYTHING = { LOG_LEVEL: "debug" };

describe("Standalone's log", () =>
  saysNothingOfReports(() => StandaloneDeployment.start(EVERYTHING)));

describeWithContainers("The services' logs", ["kafka", "clickhouse"], () =>
  saysNothingOfReports(async () => {
    const deployment = await Deployment.create(undefined, EVERYTHING);
    await Promise.all([deployment.start("gateway"), deployment.start("consumer")]);
    return deployment;
  }),
);

function saysNothingOfReports(start: () => Promise<Talkative>): void {
  it("has lines, but no part of a report, header, path or address in them", async () => {
    const talkative = await start();
    try {
      await sendMarkedRequests(talkative.url);
      await waitFor(
        async () => {
          const sql = `SELECT 1 FROM ${talkative.reports} WHERE user_id = '${MARK}'`;
          return (await talkative.rows(sql)).length > 0;
        },
        { what: "the accepted report's row", timeoutMs: 60_000 },
      );
      const log = await talkative.stop();
      expect(log).toMatch(/"event":"\w+"/);
      expect(log.toLowerCase()).not.toContain(MARK);
      expect(log).not.toContain(ADDRESS);
    } finally {
      await talkative.dispose();
    }
  });
}

/** Good, bad, unreadable and aborted requests with the mark wherever a client can put something. */
async function sendMarkedRequests(url: string): Promise<void> {
  const path = `/reporting_api/v2/instances/${randomUUID()}/events`;
  const report = { event: "open", publishId: MARK, deviceId: MARK, timestampSecs: 1, userId: MARK };
  const send = (body: string, to = path, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${to}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-forwarded-for": ADDRESS,
        "x-pusher-library": MARK,
        authorization: `Bearer ${MARK}`,
        cookie: `session=${MARK}`,
        "user-agent": MARK,
        ...headers,
      },
      body,
    });
  const answers = [
    await send(JSON.stringify(report), `${path}?user=${MARK}`),
    await send(JSON.stringify({ ...report, event: MARK })),
    await send(JSON.stringify({ ...report, userId: [MARK] })),
    await send(`{"${MARK}`),
    await send(JSON.stringify(report), `/reporting_api/v2/instances/${MARK}/events`),
    await send(JSON.stringify(report), path, { "content-type": `text/${MARK}` }),
    await send(JSON.stringify(report), path, { "content-encoding": MARK }),
    await send(JSON.stringify(report), `/${MARK}`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 400, 400, 400, 400, 404]);
  const port = Number(new URL(url).port);
  const head = `POST ${path}?${MARK} HTTP/1.1\r\nx: ${MARK}\r\n`;
  await sendRaw(port, [`${head}${MARK}\r\n\r\n`]);
  await sendRaw(port, [`${head}content-length: 900\r\n\r\n${MARK}`], { halfClose: true });
  await sendRaw(port, [`${MARK}\r\n\r\n`]);
}
