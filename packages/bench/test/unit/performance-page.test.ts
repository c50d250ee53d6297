import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { figure } from "../../src/figures/figure.js";
import {
  type MeasuredCase,
  type Measurements,
  withFigures,
} from "../../src/figures/performance-page.js";

const PAGE = `# Performance

What people wrote.

<!-- figures of npm run bench: begin -->
old figures
<!-- figures of npm run bench: end -->

More of it.
`;

const MEASURED: MeasuredCase = {
  title: "A case",
  measuredAt: "2026-01-02T03:04:05.678Z",
  machine: {
    cpu: "A processor",
    cores: 2,
    memoryGib: 8,
    system: "Linux 6.1",
    versions: { "Node.js": "20.0.0" },
  },
  figures: [figure("memory", "MiB", [100])],
  notes: ["What was scaled."],
};

describe("The page of figures", () => {
  it("gets new figures with their machine and versions, and keeps what people wrote", () => {
    const page = withFigures(PAGE, { case: MEASURED });
    expect(page).toContain("What people wrote.");
    expect(page).toContain("More of it.");
    expect(page).not.toContain("old figures");
    for (const text of [
      "### A case",
      "100 MiB",
      "What was scaled.",
      "A processor",
      "Node.js 20.0.0",
    ])
      expect(page).toContain(text);
    expect(withFigures(page, { case: MEASURED })).toBe(page);
  });

  it("says in docs/performance.md what docs/performance.json says", () => {
    const docs = fileURLToPath(new URL("../../../../docs/performance", import.meta.url));
    const page = readFileSync(`${docs}.md`, "utf8");
    const measurements = JSON.parse(readFileSync(`${docs}.json`, "utf8")) as Measurements;
    expect(withFigures(page, measurements)).toBe(page);
  });

  it("is refused when it has no place for figures", () => {
    expect(() => withFigures("# Performance", {})).toThrow("lacks the lines");
  });
});
