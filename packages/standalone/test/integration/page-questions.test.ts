import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClickHouseClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createPageServer } from "@push-reports/insights";
import { createLogger } from "@push-reports/service-kit";
import { patiently, waitFor } from "@push-reports/test-support";
import { Registry } from "prom-client";
import { openDatabase } from "../../src/open-database.js";

const LONG = "SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1";

describe("The page's questions while the embedded database is at a long statement", () => {
  const path = mkdtempSync(join(tmpdir(), "push-reports-page-questions-"));
  const registry = new Registry();
  let database: ClickHouseClient;
  let other: ClickHouseClient;
  let page: ReturnType<typeof createPageServer>;
  let long: Promise<unknown>;
  let url: string;

  beforeAll(async () => {
    [database, other] = [openDatabase(path), openDatabase(path)];
    page = createPageServer({
      config: {
        insightsPort: 0,
        insightsHost: "127.0.0.1",
        insightsUser: null,
        insightsPassword: null,
        insightsMaxQuestions: 1,
        insightsQuestionTimeoutSecs: 1,
      },
      clickHouse: database,
      database: "missing",
      reportingUrl: "http://127.0.0.1",
      registry,
      logger: createLogger({ service: "test", level: "silent" }),
    });
    await page.start();
    url = `http://127.0.0.1:${page.port}`;
    long = database.command({ query: LONG }).catch(() => "killed");
  });

  afterAll(async () => {
    await page?.stop();
    // The order to end it may come before it has begun.
    await waitFor(
      async () => {
        await other.command({ query: `KILL QUERY WHERE query LIKE '${LONG}%' ASYNC` });
        return (await Promise.race([long, Promise.resolve("runs")])) === "killed";
      },
      { what: "the end of the long statement" },
    );
    await Promise.all([database.close(), other.close()]);
    rmSync(path, { recursive: true, force: true });
  });

  const ask = (left?: AbortSignal) =>
    fetch(`${url}/api/questions/freshness`, {
      signal: AbortSignal.any([
        AbortSignal.timeout(patiently(30_000)),
        ...(left === undefined ? [] : [left]),
      ]),
    });
  const ended = (outcome: string) =>
    waitFor(
      async () =>
        (await registry.metrics()).includes(`{question="freshness",outcome="${outcome}"} 1`),
      { what: `a question that ended as ${outcome}` },
    );

  it("gives up one whose asker leaves, so that it takes nobody's place", async () => {
    const leaving = new AbortController();
    const questions = [1, 2].map(() => ask(leaving.signal).catch(() => "left"));
    // There is a place for one: once the other is refused, that one waits.
    await ended("busy");
    leaving.abort();
    expect(await Promise.all(questions)).toContain("left");
    await ended("left");
  });

  it("refuses one that waits too long for its turn, within the time that the page is told", async () => {
    const answer = await ask();
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "busy" }]);
    const settings = (await (await fetch(`${url}/api/settings`)).json()) as object;
    expect(settings).toMatchObject({ answerSecs: 12 });
  });
});
