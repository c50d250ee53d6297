import { element } from "./element.js";

/** One figure with its name and, where it needs one, its definition. */
export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
}

/** A row of figures. */
export function tiles(list: readonly Tile[]): HTMLElement {
  return element(
    "dl",
    { class: "tiles" },
    ...list.map(({ label, value, hint }) =>
      element(
        "div",
        { class: "tile" },
        element("dt", {}, label),
        element("dd", {}, value),
        hint === undefined ? null : element("dd", { class: "hint" }, hint),
      ),
    ),
  );
}
