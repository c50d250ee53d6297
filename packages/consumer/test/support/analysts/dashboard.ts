import { readFileSync } from "node:fs";

const FILE = new URL(
  "../../../../../observability/grafana/dashboards/analysts.json",
  import.meta.url,
);

/** What Grafana fills in: its time range, and the values that somebody chose. */
export interface Chosen {
  readonly from: Date;
  readonly to: Date;
  readonly variables: Readonly<Record<string, string>>;
}

/** A question of the dashboard, in SQL with Grafana's macros and variables. */
interface DashboardSql {
  readonly title: string;
  readonly isTimeSeries: boolean;
  readonly sql: string;
}

interface DashboardFile {
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly targets?: readonly { readonly rawSql: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string }[];
  };
}

const file = JSON.parse(readFileSync(FILE, "utf8")) as DashboardFile;

/** What each panel asks. */
export const panelQuestions: readonly DashboardSql[] = file.panels.flatMap(
  ({ title, type, targets = [] }) =>
    targets.map(({ rawSql: sql }) => ({ title, isTimeSeries: type === "timeseries", sql })),
);

/** What each variable asks for its values, in the order in which they are filled. */
export const variableQuestions: readonly { readonly name: string; readonly sql: string }[] =
  file.templating.list.map(({ name, query: sql }) => ({ name, sql }));

/**
 * As Grafana 12 and its ClickHouse source 4 send it: variables first, as text, then macros
 * (https://github.com/grafana/clickhouse-datasource/blob/main/pkg/macros/macros.go). @throws when something is left to fill in.
 */
export function fillIn(sql: string, { from, to, variables }: Chosen): string {
  const seconds = (time: Date) => Math.floor(time.getTime() / 1_000);
  const filled = sql
    .replaceAll(/\$\{(\w+)\}/g, (variable, name: string) => variables[name] ?? variable)
    .replaceAll("$__fromTime", `toDateTime(${seconds(from)})`)
    .replaceAll("$__toTime", `toDateTime(${seconds(to)})`);
  if (filled.includes("$")) throw new Error(`Nothing is known to fill in: ${filled}`);
  return filled;
}
