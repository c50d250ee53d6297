import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

const HEAD = "# Written by `npm run docs` from observability/prometheus/*.rules.yml.\n";

/** The rules of Prometheus as the object that its operator takes. @param folder where the `*.rules.yml` are. */
export function prometheusRule(folder: string): string {
  const groups = readdirSync(folder)
    .filter((file) => file.endsWith(".rules.yml"))
    .sort()
    .flatMap((file) => {
      const rules = parse(readFileSync(join(folder, file), "utf8")) as {
        groups?: unknown[];
      } | null;
      return rules?.groups ?? [];
    });
  const rule = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "push-reports" },
    spec: { groups },
  };
  return HEAD + stringify(rule, { lineWidth: 0 });
}
