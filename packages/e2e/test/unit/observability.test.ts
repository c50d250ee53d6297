import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { knownSeries, strangersIn } from "../support/known-series.js";
import {
  alertsSeenFiring,
  queriesOf,
  readDashboards,
  readRules,
} from "../support/observability.js";
import { readPromql } from "../support/promql.js";

const SERIES = /\b(push_reports|process|nodejs|kubelet)_\w+/;
const RUNBOOK = readFileSync(new URL("../../../../docs/runbook.md", import.meta.url), "utf8");
const PARTS = ["**Meaning.**", "**First look.**", "**Mend.**", "**Check.**"];

const rules = readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const names = alerts.map(({ alert }) => String(alert));
const expressions = [
  ...rules.map(({ alert, record, expr }) => [alert ?? record ?? "", expr] as const),
  ...readDashboards()
    .flatMap(queriesOf)
    .filter(({ datasource }) => datasource === "prometheus")
    .map(({ at, text }) => [at, text] as const),
];
const known = await knownSeries(rules);
const sections = new Map(
  RUNBOOK.split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section]),
);

describe("Rules and dashboards", () => {
  it.each(expressions)("%s names only series, labels and values that exist", (_, expression) => {
    expect(readPromql(expression)).toMatchObject({ isValid: true });
    expect(strangersIn(expression, known)).toEqual([]);
  });

  it.each([
    ["sum(push_reports_consumer_rows)", "push_reports_consumer_rows"],
    ["up{topic='x'} == 0", "up{topic}"],
    ["sum by (topic) (push_reports_consumer_rows_total)", "by topic"],
    [
      "rate(push_reports_gateway_outcomes_total{outcome=~'published|lost'}[5m])",
      'push_reports_gateway_outcomes_total{outcome="lost"}',
    ],
  ])("would not get by with %s", (expression, stranger) => {
    expect(strangersIn(expression, known)).toEqual([stranger]);
  });
});

describe.each(readDashboards().map((dashboard) => [dashboard.title, dashboard] as const))(
  "The dashboard %s",
  (_, dashboard) => {
    const panels = dashboard.panels.filter(({ type }) => type !== "row");

    it("says of each panel what it shows, and asks a source that is provisioned", () => {
      expect(panels.length).toBeGreaterThan(5);
      for (const { title, description, datasource, targets } of panels)
        expect({ title, description, uid: datasource?.uid, targets: targets?.length }).toEqual({
          title,
          description: expect.stringMatching(/\.$/),
          uid: expect.stringMatching(/^(prometheus|clickhouse)$/),
          targets: expect.any(Number),
        });
    });

    it("lays no panel over another", () => {
      const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    });
  },
);

describe("The runbook", () => {
  const asked = [...RUNBOOK.matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code ?? "")
    .filter((code) => SERIES.test(code) && !code.includes("SELECT"));

  it.each(asked)("asks Prometheus for what exists: %s", (expression) => {
    expect(readPromql(expression)).toMatchObject({ isValid: true });
    expect(strangersIn(expression, known)).toEqual([]);
  });

  it("leads only to sections that it has", () => {
    const anchors = RUNBOOK.split("\n")
      .filter((line) => line.startsWith("## "))
      .map((line) => line.slice(3).toLowerCase().replaceAll(" ", "-"));
    const links = [...RUNBOOK.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link);

    expect(asked.length).toBeGreaterThan(20);
    expect(links.filter((link) => !anchors.includes(String(link)))).toEqual([]);
  });
});

describe("Alerts", () => {
  it("have names of their own, a severity and a summary", () => {
    expect(names.length).toBeGreaterThan(20);
    expect(names).toEqual([...new Set(names)]);
    for (const { alert, labels, annotations } of alerts)
      expect({ alert, severity: labels?.["severity"], summary: annotations?.["summary"] }).toEqual({
        alert,
        severity: expect.stringMatching(/^(page|ticket)$/),
        summary: expect.stringMatching(/\.$/),
      });
  });

  it("are each seen firing by a test of promtool", () => {
    expect(names.filter((name) => !alertsSeenFiring().has(name))).toEqual([]);
  });

  it("lead to a section of the runbook each, and each section belongs to one", () => {
    for (const { alert, annotations } of alerts)
      expect(annotations?.["runbook_url"]).toBe(`docs/runbook.md#${String(alert).toLowerCase()}`);
    const ofAlerts = [...sections.keys()].filter((title) => title.startsWith("PushReports"));
    expect(new Set(ofAlerts)).toEqual(new Set(names));
    expect(ofAlerts).toHaveLength(names.length);
  });

  it.each(names)(
    "%s has its meaning, a first look, a remedy and a check in the runbook",
    (name) => {
      const section = sections.get(name) ?? "";
      const places = PARTS.map((part) => section.indexOf(part));
      expect(places.every((place) => place > 0)).toBe(true);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(section).toMatch(/`[^`]+`|\n {4}\S/);
    },
  );
});
