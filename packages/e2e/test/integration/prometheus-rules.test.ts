import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import {
  PROMETHEUS,
  queriesOf,
  readDashboards,
  ruleFiles,
  ruleTestFiles,
} from "../support/observability.js";
import { hasPromtool, promtool } from "../support/promtool.js";

const NAME = "Prometheus' rules and the expressions of dashboards";

if (!hasPromtool()) console.warn(`NOT VERIFIED: ${NAME} (promtool is not installed)`);

(hasPromtool() ? describe : describe.skip)(NAME, () => {
  it("can be read, as the configuration of Prometheus that names them", () => {
    const files = ruleFiles();
    const { ok, output } = promtool(
      "check",
      "config",
      "--lint=all",
      "--lint-fatal",
      join(PROMETHEUS, "prometheus.yml"),
    );
    expect({ ok, output }).toMatchObject({ ok: true });
    expect(output).toContain(`SUCCESS: ${files.length} rule files found`);
  });

  it.each(ruleTestFiles().map((file) => [file.slice(PROMETHEUS.length + 1), file]))(
    "%s: alerts fire when they must, and not else",
    (_, file) => {
      const { ok, output } = promtool("test", "rules", file);
      expect({ ok, output }).toMatchObject({ ok: true });
    },
  );

  it("are expressions that Prometheus takes, also those of dashboards", () => {
    const expressions = readDashboards()
      .flatMap(queriesOf)
      .filter(({ datasource }) => datasource === "prometheus")
      .map(({ text }) => text);
    expect(expressions.length).toBeGreaterThan(10);
    const rules = expressions.map((expr, index) => ({ record: `dashboard:${index}`, expr }));
    const folder = mkdtempSync(join(tmpdir(), "expressions-"));
    const check = (checked: readonly object[]) => {
      const file = join(folder, "dashboards.yml");
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboards", rules: checked }] }));
      return promtool("check", "rules", "--lint=none", file);
    };
    try {
      expect(check(rules)).toMatchObject({ ok: true });
      expect(check([...rules, { record: "wrong", expr: "sum(rate(up)" }])).toMatchObject({
        ok: false,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
