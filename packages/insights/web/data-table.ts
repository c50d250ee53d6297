import type { Answer } from "./api.js";
import { element } from "./element.js";
import { formatCount, formatRate, formatSeconds, NONE } from "./format.js";

/** Least widths of the first column and of each other; on a screen that has less room the table scrolls. */
const FIRST_COLUMN_REM = 12;
const COLUMN_REM = 6;

/** An answer as a table for people: names in words, shares as per cent, seconds as times. */
export function dataTable({ columns, rows }: Answer): HTMLElement {
  if (rows.length === 0) return element("p", { class: "note" }, "Nothing in this time.");
  const heads = columns.map((name) =>
    element(
      "th",
      { scope: "col", class: isNumeric(name, rows[0]?.[columns.indexOf(name)]) ? "numeric" : null },
      wordsOf(name),
    ),
  );
  const table = element(
    "table",
    { class: "figures" },
    element("thead", {}, element("tr", {}, ...heads)),
    element(
      "tbody",
      {},
      ...rows.map((row) =>
        element(
          "tr",
          {},
          ...row.map((cell, index) => {
            const name = columns[index] ?? "";
            return element(
              "td",
              { class: isNumeric(name, cell) ? "numeric" : null },
              textOf(name, cell),
            );
          }),
        ),
      ),
    ),
  );
  table.style.minWidth = `${FIRST_COLUMN_REM + COLUMN_REM * (columns.length - 1)}rem`;
  return element(
    "div",
    { class: "scroller", tabindex: 0, role: "region", "aria-label": "Table" },
    table,
  );
}

const isNumeric = (name: string, cell: unknown) =>
  name !== "client_library" && cell !== null && cell !== "" && !Number.isNaN(Number(cell));

/** Columns whose names say too little to who does not write SQL. */
const WORDS: Readonly<Record<string, string>> = {
  late_p50_secs: "Median delay",
  late_share: "Late",
  repeated_share: "Repeated",
  clock_ahead_share: "Clock ahead",
  without_app_in_background_share: "Without background flag",
};

const wordsOf = (name: string) =>
  WORDS[name] ??
  name
    .replace(/_secs$/, "")
    .replaceAll("_", " ")
    .replace(/^./, (letter) => letter.toUpperCase());

function textOf(name: string, cell: string | number | boolean | null): string {
  if (cell === null) return NONE;
  if (name === "client_library") return cell === "" ? "(not said, as by web)" : String(cell);
  const value = Number(cell);
  if (cell === "" || Number.isNaN(value)) return String(cell);
  if (/(rate|share)/.test(name)) return formatRate(value);
  return name.endsWith("_secs") ? formatSeconds(value) : formatCount(value);
}
