import type { Row } from "./api.js";
import { element } from "./element.js";
import { formatShortCount } from "./format.js";
import type { Navigation } from "./instance-view.js";
import { RANGES, type RangeName, type ViewState } from "./view-state.js";

const RANGE_LABELS: Readonly<Record<RangeName, string>> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};

/** Fills the form at the top: which instance, which time. */
export function showChoice(
  form: HTMLElement,
  instances: readonly Row[],
  state: ViewState,
  { go }: Navigation,
): void {
  const focused = form.contains(document.activeElement)
    ? (document.activeElement as HTMLElement).dataset["focus"]
    : undefined;
  form.replaceChildren(
    instancePicker(instances, state, go),
    rangePicker(state, go),
    ...customRange(state, go),
  );
  if (focused !== undefined) form.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
}

function instancePicker(
  instances: readonly Row[],
  { instance }: ViewState,
  go: Navigation["go"],
): HTMLElement {
  const known = instances.map((row) => ({
    id: row.text("instance_id"),
    label: `${row.text("instance_id")} (${formatShortCount(row.number("delivered_approx") ?? 0)} delivered)`,
  }));
  const all =
    instance === null || known.some(({ id }) => id === instance)
      ? known
      : [{ id: instance, label: `${instance} (nothing in this time)` }, ...known];
  const select = element(
    "select",
    {
      "data-focus": "instance",
      onchange: (event) =>
        go({ instance: (event.currentTarget as HTMLSelectElement).value, publish: null, page: 1 }),
    },
    ...all.map(({ id, label }) =>
      element("option", { value: id, selected: id === instance }, label),
    ),
  );
  return element("label", {}, element("span", {}, "Instance"), select);
}

const CUSTOM = "custom";

function rangePicker({ range }: ViewState, go: Navigation["go"]): HTMLElement {
  const current = range.kind === "last" ? range.name : CUSTOM;
  const names = Object.keys(RANGES) as RangeName[];
  const select = element(
    "select",
    {
      "data-focus": "range",
      onchange: (event) => {
        const { value } = event.currentTarget as HTMLSelectElement;
        const name = names.find((known) => known === value);
        if (name !== undefined) return go({ range: { kind: "last", name }, page: 1 });
        const to = new Date();
        go({ range: { kind: "fixed", from: new Date(to.getTime() - RANGES["24h"]), to }, page: 1 });
      },
    },
    ...names.map((name) =>
      element("option", { value: name, selected: name === current }, RANGE_LABELS[name]),
    ),
    element("option", { value: CUSTOM, selected: current === CUSTOM }, "From … to …"),
  );
  return element("label", {}, element("span", {}, "Time of receipt"), select);
}

function customRange({ range }: ViewState, go: Navigation["go"]): readonly HTMLElement[] {
  if (range.kind !== "fixed") return [];
  const { from, to } = range;
  const input = (name: "from" | "to", value: Date) =>
    element(
      "label",
      {},
      element("span", {}, name === "from" ? "From" : "To"),
      element("input", {
        type: "datetime-local",
        value: localText(value),
        "data-focus": name,
        onchange: (event) => {
          const chosen = new Date((event.currentTarget as HTMLInputElement).value);
          if (Number.isNaN(chosen.getTime())) return;
          const bounds = { from, to, [name]: chosen };
          if (bounds.from < bounds.to) go({ range: { kind: "fixed", ...bounds }, page: 1 });
        },
      }),
    );
  return [input("from", from), input("to", to)];
}

/** As `datetime-local` wants it: the local time to the minute, without a zone. */
function localText(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
