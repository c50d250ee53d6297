import { element } from "./element.js";
import type { Navigation } from "./navigation.js";
import { RANGES, type RangeName, type ViewState } from "./view-state.js";

const RANGE_LABELS: Readonly<Record<RangeName, string>> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};
const NAMES = Object.keys(RANGES) as RangeName[];
const CUSTOM = "custom";

/** The fields that say of which time the page is. A publish is shown over all its time: there they are away. */
export class TimeChoice {
  readonly elements: readonly HTMLElement[];
  readonly #go: Navigation["go"];
  readonly #select: HTMLSelectElement;
  readonly #from: HTMLInputElement;
  readonly #to: HTMLInputElement;
  #range: ViewState["range"] = { kind: "last", name: "7d" };

  constructor({ go }: Navigation) {
    this.#go = go;
    this.#select = element(
      "select",
      { onchange: () => this.#choose() },
      ...NAMES.map((name) => element("option", { value: name }, RANGE_LABELS[name])),
      element("option", { value: CUSTOM }, "From … to …"),
    );
    this.#from = element("input", { type: "datetime-local", onchange: () => this.#bound("from") });
    this.#to = element("input", { type: "datetime-local", onchange: () => this.#bound("to") });
    this.elements = [
      element("label", {}, element("span", {}, "Time of receipt"), this.#select),
      element("label", {}, element("span", {}, "From"), this.#from),
      element("label", {}, element("span", {}, "To"), this.#to),
    ];
  }

  /** Shows a state, but for a field that somebody is typing in. */
  take({ range, publish }: ViewState): void {
    const isSame = this.#range === range;
    this.#range = range;
    this.elements.forEach((field, index) => {
      field.hidden = publish !== null || (index > 0 && range.kind === "last");
    });
    if (isSame) return;
    this.#select.value = range.kind === "last" ? range.name : CUSTOM;
    if (range.kind === "last") return;
    if (document.activeElement !== this.#from) this.#from.value = localText(range.from);
    if (document.activeElement !== this.#to) this.#to.value = localText(range.to);
  }

  #choose(): void {
    const name = NAMES.find((known) => known === this.#select.value);
    if (name !== undefined) {
      this.#go({ range: { kind: "last", name }, page: 1 });
      return;
    }
    const to = new Date();
    const from = new Date(to.getTime() - RANGES["24h"]);
    this.#go({ range: { kind: "fixed", from, to }, page: 1 });
  }

  #bound(which: "from" | "to"): void {
    if (this.#range.kind !== "fixed") return;
    const field = which === "from" ? this.#from : this.#to;
    const chosen = new Date(field.value);
    if (Number.isNaN(chosen.getTime())) return;
    const range = { ...this.#range, [which]: chosen };
    const isOrdered = range.from < range.to;
    for (const each of [this.#from, this.#to]) each.setCustomValidity("");
    if (isOrdered) this.#go({ range, page: 1 });
    else {
      field.setCustomValidity("From must be before To.");
      field.reportValidity();
    }
  }
}

/** As `datetime-local` wants it: the local time to the minute, without a zone. */
function localText(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
