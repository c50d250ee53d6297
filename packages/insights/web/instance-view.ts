import { AnsweredPanel } from "./answered-panel.js";
import type { Parameters, Row } from "./api.js";
import { TimeChart } from "./chart.js";
import { dataTable } from "./data-table.js";
import { element } from "./element.js";
import { evenly } from "./evenly.js";
import { formatCount, formatRate, formatSeconds } from "./format.js";
import { listParameters, PublishesTable } from "./publishes-list.js";
import { tiles } from "./tiles.js";
import type { View } from "./view.js";
import type { ViewState } from "./view-state.js";

/** Where the page goes from here. */
export interface Navigation {
  addressOf(change: Partial<ViewState>): string;
  go(change: Partial<ViewState>): void;
}

/** How long typing must rest before the list is searched, ms. */
const TYPING_MS = 300;

/** An instance in a stretch of time: its figures, its hours, its publishes, its clients. */
export class InstanceView implements View {
  readonly element: HTMLElement;
  readonly #panels: readonly AnsweredPanel[];
  #chart: TimeChart | null = null;

  /** @param bounds instance and time, read anew at each refresh. */
  constructor(state: ViewState, bounds: () => Parameters, navigation: Navigation) {
    const overview = new AnsweredPanel(
      { title: "Overview", question: "overview" },
      bounds,
      (body) => (rows) => body.replaceChildren(tilesOf(rows[0])),
    );
    const hours = new AnsweredPanel(
      { title: "By hour", question: "instance_hours" },
      bounds,
      (body) => {
        const chart = new TimeChart(body, [
          { label: "Delivered", colour: "--series-1" },
          { label: "Opened", colour: "--series-2", dashed: true },
        ]);
        this.#chart = chart;
        return (rows) =>
          chart.show(
            evenly(rows, {
              time: "hour",
              stepSecs: 3_600,
              values: ["delivered_approx", "opened_approx"],
            }),
          );
      },
    );
    const table = new PublishesTable(state, navigation.addressOf);
    const publishes = new AnsweredPanel(
      { title: "Publishes", question: "publishes" },
      () => ({ ...bounds(), ...listParameters(state) }),
      (body) => {
        body.append(listFilter(state, navigation), table.element);
        return (rows) => table.show(rows);
      },
    );
    const clients = new AnsweredPanel(
      { title: "Clients", question: "clients" },
      bounds,
      (body) => (_rows, answer) => body.replaceChildren(dataTable(answer)),
    );
    this.#panels = [overview, publishes, hours, clients];
    this.element = element(
      "div",
      { class: "panels" },
      ...this.#panels.map((panel) => panel.element),
    );
  }

  async refresh(left: AbortSignal): Promise<void> {
    await Promise.all(this.#panels.map((panel) => panel.refresh(left)));
  }

  redraw(): void {
    this.#chart?.redraw();
  }

  destroy(): void {
    this.#chart?.destroy();
  }
}

function tilesOf(row: Row | undefined): HTMLElement {
  const number = (name: string) => row?.number(name) ?? null;
  return tiles([
    { label: "Publishes", value: formatCount(number("publishes")) },
    {
      label: "Delivered",
      value: formatCount(number("delivered")),
      hint: "devices, once a publish",
    },
    { label: "Opened", value: formatCount(number("opened")), hint: "devices, once a publish" },
    {
      label: "Open rate",
      value: formatRate(number("open_rate")),
      hint: "of those that could be opened",
    },
    { label: "Median time to open", value: formatSeconds(number("p50_secs")) },
    { label: "Active devices", value: formatCount(number("devices")) },
  ]);
}

function listFilter(state: ViewState, { go }: Navigation): HTMLElement {
  let typing: ReturnType<typeof setTimeout> | undefined;
  const soon = (change: Partial<ViewState>) => {
    clearTimeout(typing);
    typing = setTimeout(() => go({ ...change, page: 1 }), TYPING_MS);
  };
  const textOf = (event: Event) => (event.currentTarget as HTMLInputElement).value;
  return element(
    "form",
    { class: "filter", role: "search", onsubmit: (event) => event.preventDefault() },
    element(
      "label",
      {},
      "Search ",
      element("input", {
        type: "search",
        value: state.search,
        maxlength: 256,
        placeholder: "title or publish id",
        "data-focus": "search",
        oninput: (event) => soon({ search: textOf(event) }),
      }),
    ),
    element(
      "label",
      {},
      "Delivered to at least ",
      element("input", {
        type: "number",
        min: 0,
        max: 999_999_999,
        value: state.minDelivered,
        "data-focus": "min",
        oninput: (event) =>
          soon({ minDelivered: Math.max(0, Math.floor(Number(textOf(event)) || 0)) }),
      }),
      " devices",
    ),
  );
}
