import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import { aReceivedReport } from "@push-reports/test-support";
import { runCapacity } from "../../src/capacity/capacity-command.js";
import { CapacityPlan, type CapacityWish, USUAL_WISH } from "../../src/capacity/capacity-plan.js";
import { BENCH_FIGURES, MEASURED_COSTS } from "../../src/capacity/measured-costs.js";

const ROOT = new URL("../../../../", import.meta.url);
const require = createRequire(import.meta.url);

const plan = (wish: Partial<CapacityWish> = {}) =>
  new CapacityPlan({ ...USUAL_WISH, reportsPerDay: 1e9, peak: 5, ...wish }, MEASURED_COSTS);
const valueIn = (of: CapacityPlan, name: string) => {
  const found = of.quantities.find((quantity) => quantity.name === name);
  if (found === undefined) throw new Error(`The plan has no ${name}`);
  return found.value;
};

describe("A capacity plan", () => {
  it("grows with the reports: disks in step, processes never less", () => {
    const [small, large] = [plan({ reportsPerDay: 1e8 }), plan({ reportsPerDay: 1e10 })];

    for (const disk of ["disk of Kafka", "disk of ClickHouse"])
      expect(valueIn(large, disk)).toBeCloseTo(100 * valueIn(small, disk), -6);
    expect(large.gateways).toBeGreaterThan(small.gateways);
    expect(large.consumers).toBeGreaterThan(small.consumers);
    expect(small.gateways).toBeGreaterThanOrEqual(3);
    expect(small.consumers).toBeGreaterThanOrEqual(2);
  });

  it("has a partition for each consumer, twice, in dozens", () => {
    for (const reportsPerDay of [1, 1e8, 1e9, 1e10, 1e11]) {
      const { partitions, consumers } = plan({ reportsPerDay });
      expect(partitions % 12).toBe(0);
      expect(partitions).toBeGreaterThanOrEqual(2 * consumers);
    }
  });

  it("carries the peak with one gateway and one consumer away", () => {
    for (const peak of [1, 2, 5, 50]) {
      const { gateways, consumers, peakPerSecond } = plan({ peak });
      const { gatewayPerSecond, consumerPerSecond } = MEASURED_COSTS;
      expect((gateways - 1) * gatewayPerSecond).toBeGreaterThan(peakPerSecond);
      expect((consumers - 1) * consumerPerSecond).toBeGreaterThan(peakPerSecond);
    }
  });
});

describe("The measured costs", () => {
  const near = (value: number, measured: number) => Math.abs(value / measured - 1);

  it("count a record as long as Kafka's own encoding makes it", () => {
    // kafkajs has no type for what it sends.
    const encode = require("kafkajs/src/protocol/recordBatch/record/v0") as (record: {
      readonly offsetDelta: number;
      readonly timestampDelta: number;
      readonly key: Buffer;
      readonly value: Buffer;
      readonly headers: Readonly<Record<string, Buffer>>;
    }) => { readonly size: () => number };
    const { key, value, headers } = encodeReport(aReceivedReport());
    const encoded = encode({ offsetDelta: 300, timestampDelta: 50, key, value, headers });

    expect(near(MEASURED_COSTS.recordBytes, encoded.size())).toBeLessThan(0.15);
  });

  it("count a row as long as the tables that docs/analytics.md measured", () => {
    const page = readFileSync(new URL("docs/analytics.md", ROOT), "utf8");
    const [, rows = ""] = page.split("| table | rows | bytes on disk | bytes a report |");
    const each = [...rows.matchAll(/^\| `\w+` \|[^|]+\|[^|]+\| ([\d.]+) \|$/gm)];
    const sum = each.reduce((total, [, bytes]) => total + Number(bytes), 0);

    expect(each.length).toBeGreaterThan(3);
    expect(near(MEASURED_COSTS.rowBytes, sum)).toBeLessThan(0.05);
  });

  const measured = Object.entries(BENCH_FIGURES).map(([cost, [benchCase, name]]) => {
    const found = readBench()[benchCase]?.figures.find(({ what }) => what === name);
    return [cost as keyof typeof MEASURED_COSTS, found?.measured.median ?? null] as const;
  });
  const unmeasured = measured.filter(([, median]) => median === null).map(([cost]) => cost);
  if (unmeasured.length > 0)
    console.info(`npm run bench has no figures yet of ${unmeasured.join(", ")}`);

  it("are within a factor of two of what npm run bench measured last", () => {
    const ratios = measured.flatMap(([cost, median]) =>
      median === null ? [] : [[cost, MEASURED_COSTS[cost] / median] as const],
    );

    expect(ratios.length).toBeGreaterThan(0);
    expect(ratios.filter(([, ratio]) => !(ratio > 0.5 && ratio < 2))).toEqual([]);
  });
});

describe("The command capacity", () => {
  const run = (...args: readonly string[]) => {
    const said = { out: "", error: "" };
    const code = runCapacity(args, {
      out: (text) => {
        said.out += text;
      },
      error: (text) => {
        said.error += text;
      },
    });
    return { code, ...said };
  };

  it("says what a size needs, for people and as JSON", () => {
    const { code, out } = run("--reports-per-day", "1e9", "--peak", "5");
    const json = JSON.parse(run("--reports-per-day", "1e9", "--json").out) as {
      readonly quantities: readonly { readonly name: string }[];
      readonly scenarios: readonly { readonly history: { readonly mostRecords: number } }[];
    };

    expect(code).toBe(0);
    for (const { name } of json.quantities) expect(out).toContain(name);
    expect(json.quantities.length).toBeGreaterThan(10);
    expect(json.scenarios.map(({ history }) => history.mostRecords > 1e6)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it.each([
    ["no size", []],
    ["a size that is none", ["--reports-per-day", "many"]],
    ["a peak below the average", ["--reports-per-day", "1e9", "--peak", "0.5"]],
    ["an option that is none", ["--reports-per-day", "1e9", "--colour", "red"]],
  ])("ends with 2 for %s, and says how it is called", (_, args) => {
    const { code, out, error } = run(...args);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(error).toContain("capacity --reports-per-day N");
  });
});

type Measurements = Readonly<
  Record<
    string,
    {
      readonly figures: readonly {
        readonly what: string;
        readonly measured: { readonly median: number };
      }[];
    }
  >
>;

function readBench(): Measurements {
  return JSON.parse(readFileSync(new URL("docs/performance.json", ROOT), "utf8")) as Measurements;
}
