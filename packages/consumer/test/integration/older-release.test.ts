import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import {
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { commitOffsets } from "../faults/support/commit-offsets.js";
import { Pipeline } from "../support/pipeline.js";

/** What a release wrote to the topic, to the group's offsets and to the tables. Never changed afterwards: a new release adds a file. */
interface OlderRelease {
  readonly records: readonly {
    readonly key: string;
    readonly timestamp_ms: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly value: string;
    readonly row: Readonly<Record<string, unknown>>;
  }[];
  /** Metadata of the committed offset while a range was under way. */
  readonly intent: string;
  /** One line of JSON for each table that it inserts into. */
  readonly inserts: Readonly<Record<string, string>>;
}

const RELEASES = ["0.1.0"];

describeWithContainers("what older releases wrote", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 1);
  });
  afterEach(() => pipeline.close());

  const read = (release: string) =>
    JSON.parse(
      readFileSync(new URL(`../fixtures/release-${release}.json`, import.meta.url), "utf8"),
    ) as OlderRelease;
  const recordsOf = ({ records }: OlderRelease) =>
    records.map(({ key, value, headers, timestamp_ms }) => ({
      timestampMs: timestamp_ms,
      key: Buffer.from(key),
      value: Buffer.from(value),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
      ),
    }));

  it.each(RELEASES)("to the topic becomes the rows that it meant: %s", async (release) => {
    const older = read(release);
    await pipeline.produce(0, recordsOf(older));

    const consumer = await pipeline.launch();
    await pipeline.untilLedgered(older.records.length, consumer.log);

    const columns = Object.keys(older.records[0]?.row ?? {}).join(", ");
    expect(await pipeline.select(`SELECT ${columns} FROM reports ORDER BY offset`)).toEqual(
      older.records.map(({ row }) => row),
    );
    expect(await pipeline.one("count()", "dead_letters")).toBe(0);
  });

  it.each(RELEASES)(
    "to the group's offsets is done under the name that it gave: %s",
    async (release) => {
      const older = read(release);
      // A group that nobody was ever in takes no offsets.
      const earlier = await pipeline.launch();
      await waitFor(async () => (await earlier.health()).status === 200, { what: "a group" });
      await pipeline.stop(earlier);
      await pipeline.produce(0, recordsOf(older));
      const metadata = older.intent
        .replace("{source}", pipeline.source)
        .replace("{cut_at}", new Date().toISOString());
      await commitOffsets(pipeline, [{ partition: 0, offset: "0", metadata }]);
      const { name } = JSON.parse(metadata) as { readonly name: string };

      const consumer = await pipeline.launch();
      await pipeline.untilLedgered(older.records.length, consumer.log);

      const [first] = await pipeline.select("SELECT name, first, last FROM ledger ORDER BY first");
      expect(first).toEqual({ name, first: 0, last: 1 });
      expect(await pipeline.one("count()", "reports")).toBe(older.records.length);
    },
  );

  it.each(RELEASES)("goes into the tables of this release as it is: %s", async (release) => {
    const { inserts } = read(release);
    expect(Object.keys(inserts).length).toBeGreaterThan(3);
    for (const [table, line] of Object.entries(inserts)) {
      // As its consumer inserts: unknown columns and nulls for defaults are refused.
      const settings = "input_format_skip_unknown_fields = 0, input_format_null_as_default = 0";
      await pipeline.clickHouse.command({
        query: `INSERT INTO ${pipeline.database}.${table} SETTINGS ${settings} FORMAT JSONEachRow ${line}`,
      });
      expect({ table, rows: await pipeline.one("count()", table) }).toEqual({ table, rows: 1 });
    }
  });
});
