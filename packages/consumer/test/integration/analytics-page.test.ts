import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import { AnalystDatabase } from "../support/analysts/database.js";

const PAGE = readFileSync(new URL("../../../../docs/analytics.md", import.meta.url), "utf8");
/** The views of the pipeline's operators are described in architecture.md. */
const OPERATORS_VIEW = /^ingest_/;
const INSTANCE = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";

describeWithContainers("docs/analytics.md", ["clickhouse"], () => {
  let database: AnalystDatabase;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "publishes-"));
    database = await AnalystDatabase.create(await sharedClickHouse());
    const minute = (n: number) => new Date(Date.parse("2026-11-24T12:00:00.000Z") + n * 60_000);
    const made = { publishId: "pubid-autumn-sale", deviceId: "web-1", userId: "alice" };
    const late = { timestampSecs: Date.parse("2026-11-24T08:00:00Z") / 1_000 };
    await database.writeRange([
      aReceivedReport({ ...made, ...late, receivedAt: minute(0) }),
      aReceivedReport({ ...made, ...late, receivedAt: minute(3), event: "open" }),
      aReceivedReport({ publishId: "pubid-late-news", receivedAt: minute(5) }),
    ]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await database.close();
  });

  const sections = new Map(
    PAGE.split(/^### /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section.split(/^## /m)[0] ?? ""]),
  );
  const examples = [...sections].flatMap(([view, section]) =>
    [...section.matchAll(/```sql\n([^`]+)```/g)].map(([, sql]) => [view, sql ?? ""] as const),
  );
  const importPublishes = (name: string, text: string) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const file = join(folder, name);
      writeFileSync(file, text);
      const main = fileURLToPath(new URL("../../dist/import-publishes-main.js", import.meta.url));
      execFile(
        process.execPath,
        [main, file],
        { env: { PATH: process.env["PATH"], ...database.environment() } },
        (error, stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });

  it("describes every view of analysts, with an example", async () => {
    const views = await database.rows(
      `SELECT name FROM system.tables WHERE database = '${database.name}' AND engine = 'View'`,
    );
    const names = views
      .map(({ name }) => String(name))
      .filter((name) => !OPERATORS_VIEW.test(name));
    expect([...sections.keys()].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      names.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    expect(new Set(examples.map(([view]) => view))).toEqual(new Set(names));
  });

  it.each(examples)(
    "has an example of %s that answers, and names its columns",
    async (view, sql) => {
      const query = sql.replaceAll("push_reports.", `${database.name}.`);
      expect(await database.rows(query)).not.toEqual([]);
      const call = /FROM (\w+\.\w+(?:\([^)]*\))?)/.exec(query)?.[1] ?? "";
      const [row] = await database.rows(`SELECT * FROM ${call} LIMIT 1`);
      const described = new Set(
        [...(sections.get(view) ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name),
      );
      expect(Object.keys(row ?? {}).filter((column) => !described.has(column))).toEqual([]);
    },
  );

  it("imports publishes from CSV and NDJSON, replaces what is there, and refuses what it cannot read", async () => {
    const summary = async () =>
      await database.rows(
        `SELECT publish_id, title, recipients, acknowledgement_rate FROM ${database.name}.publish_figures(instance = '${INSTANCE}') ORDER BY publish_id`,
      );
    const header = "instance_id,publish_id,recipients,title";
    const csv = `${header}\n${INSTANCE},pubid-autumn-sale,4,"Sale, ""autumn"""\n${INSTANCE},pubid-late-news,,News\n`;
    expect(await importPublishes("a.csv", csv)).toEqual({
      code: 0,
      output: "imported; 2 publishes are known\n",
    });
    expect(await summary()).toEqual([
      {
        publish_id: "pubid-autumn-sale",
        title: 'Sale, "autumn"',
        recipients: 4,
        acknowledgement_rate: 0.25,
      },
      {
        publish_id: "pubid-late-news",
        title: "News",
        recipients: null,
        acknowledgement_rate: null,
      },
    ]);
    const line = {
      instance_id: INSTANCE,
      publish_id: "pubid-late-news",
      recipients: 0,
      title: "None",
    };
    expect(await importPublishes("b.ndjson", `${JSON.stringify(line)}\n`)).toMatchObject({
      code: 0,
    });
    expect((await summary())[1]).toEqual({
      publish_id: "pubid-late-news",
      title: "None",
      recipients: 0,
      acknowledgement_rate: null,
    });

    for (const [name, text, fault] of [
      ["c.csv", `${header}\n${INSTANCE},pubid-x,many,T\n`, /recipients/],
      ["d.csv", `${header},colour\n${INSTANCE},pubid-x,1,T,red\n`, /colour/],
      ["e.csv", `${header}\nno-uuid,pubid-x,1,T\n`, /UUID|uuid/],
      ["f.ndjson", `${JSON.stringify({ ...line, publish_id: "" })}\n`, /publish_id_is_given/],
      ["g.txt", csv, /--format csv/],
    ] as const) {
      const { code, output } = await importPublishes(name, text);
      expect({ code, isNamed: fault.test(output), output }).toMatchObject({
        code: 2,
        isNamed: true,
      });
    }
    expect(
      await database.rows(`SELECT count() AS n FROM ${database.name}.publishes FINAL`),
    ).toEqual([{ n: 2 }]);
  });
});
