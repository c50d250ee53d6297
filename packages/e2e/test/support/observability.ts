import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const FOLDER = fileURLToPath(new URL("../../../../observability", import.meta.url));
/** Prometheus' configuration, its rules and, in `tests`, promtool's tests of them. */
export const PROMETHEUS = join(FOLDER, "prometheus");
const DASHBOARDS = join(FOLDER, "grafana", "dashboards");

/** A recording rule or an alert. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a panel or a variable asks. */
export interface DashboardQuery {
  /** Dashboard and panel, for people. */
  readonly at: string;
  readonly datasource: string;
  readonly text: string;
}

/** As Grafana stores it, as far as tests look. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}
interface Datasource {
  readonly uid: string;
}
interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: string;
  readonly datasource?: Datasource;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr?: string; readonly rawSql?: string }[];
}
interface Variable {
  readonly name: string;
  readonly datasource?: Datasource;
  readonly query?: unknown;
}

/** Paths of the files of rules. */
export const ruleFiles = (): readonly string[] => filesIn(PROMETHEUS, ".rules.yml");

/** Paths of promtool's tests. */
export const ruleTestFiles = (): readonly string[] =>
  filesIn(join(PROMETHEUS, "tests"), ".test.yml");

/** Every rule of every file. */
export function readRules(): readonly Rule[] {
  return ruleFiles().flatMap((file) => {
    const { groups } = readYaml<{ groups: readonly { rules: readonly Rule[] }[] }>(file);
    return groups.flatMap(({ rules }) => rules);
  });
}

/** Names of the alerts that some test of promtool sees firing. */
export function alertsSeenFiring(): ReadonlySet<string> {
  interface Tests {
    readonly tests: readonly {
      readonly alert_rule_test?: readonly { alertname: string; exp_alerts: readonly unknown[] }[];
    }[];
  }
  const cases = ruleTestFiles()
    .flatMap((file) => readYaml<Tests>(file).tests)
    .flatMap((test) => test.alert_rule_test ?? []);
  return new Set(
    cases.filter(({ exp_alerts: fire }) => fire.length > 0).map(({ alertname }) => alertname),
  );
}

/** Every dashboard. */
export function readDashboards(): readonly Dashboard[] {
  return filesIn(DASHBOARDS, ".json").map(
    (file) => JSON.parse(readFileSync(file, "utf8")) as Dashboard,
  );
}

/** What a dashboard asks its data sources, panels first, then variables; with Grafana's interval filled in. */
export function queriesOf({ title, panels, templating }: Dashboard): readonly DashboardQuery[] {
  const ofPanels = panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ expr, rawSql }) => ({
      at: `${title}: ${panel.title}`,
      datasource: panel.datasource?.uid ?? "",
      text: (expr ?? rawSql ?? "").replaceAll("$__rate_interval", "5m"),
    })),
  );
  const ofVariables = templating.list.flatMap(({ name, datasource, query }) =>
    datasource === undefined
      ? []
      : [{ at: `${title}: $${name}`, datasource: datasource.uid, text: expressionOf(query) }],
  );
  return [...ofPanels, ...ofVariables];
}

/** SQL as it is; what Grafana calls label_values(series, label) as Prometheus would be asked. */
function expressionOf(query: unknown): string {
  const text = typeof query === "string" ? query : (query as { rawSql: string }).rawSql;
  return text.replace(/^label_values\((.+), (\w+)\)$/, "count by ($2) ($1)");
}

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => join(folder, file));
}

function readYaml<T>(file: string): T {
  return parse(readFileSync(file, "utf8")) as T;
}
