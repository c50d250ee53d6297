import type { Answer } from "./api.js";
import { element } from "./element.js";
import { formatCount, formatRate, formatSeconds, NONE } from "./format.js";

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
  return element(
    "div",
    { class: "scroller", tabindex: 0, role: "region", "aria-label": "Table" },
    element(
      "table",
      {},
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
    ),
  );
}

const isNumeric = (name: string, cell: unknown) =>
  name !== "client_library" && cell !== null && cell !== "" && !Number.isNaN(Number(cell));

const wordsOf = (name: string) =>
  name
    .replace(/_secs$/, "")
    .replaceAll("_", " ")
    .replace(/^./, (letter) => letter.toUpperCase());

function textOf(name: string, cell: string | number | boolean | null): string {
  if (cell === null) return NONE;
  if (name === "client_library") return cell === "" ? "(did not say)" : String(cell);
  const value = Number(cell);
  if (cell === "" || Number.isNaN(value)) return String(cell);
  if (/(rate|share)/.test(name)) return formatRate(value);
  return name.endsWith("_secs") ? formatSeconds(value) : formatCount(value);
}
