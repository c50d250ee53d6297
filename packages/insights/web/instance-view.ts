import { AnsweredPanel, type Extent, refreshPanels } from "./answered-panel.js";
import type { Parameters, Row, Settings } from "./api.js";
import { TimeChart } from "./chart.js";
import { dataTable } from "./data-table.js";
import { element } from "./element.js";
import { evenly } from "./evenly.js";
import { formatCount, formatRate, formatSeconds } from "./format.js";
import { ListFilter } from "./list-filter.js";
import type { Navigation } from "./navigation.js";
import { listParameters, PublishesTable } from "./publishes-list.js";
import { tiles } from "./tiles.js";
import { updateChildren } from "./update-children.js";
import type { View } from "./view.js";
import type { ViewState } from "./view-state.js";

/** An instance in a stretch of time: its figures, its hours, its publishes, its clients. */
export class InstanceView implements View {
  readonly element: HTMLElement;
  readonly #panels: readonly AnsweredPanel[];
  readonly #filter: ListFilter;
  readonly #table: PublishesTable;
  #state: ViewState;
  #chart: TimeChart | null = null;

  /**
   * @param bounds instance and time, read anew at each refresh.
   */
  constructor(
    state: ViewState,
    bounds: () => Parameters,
    navigation: Navigation,
    settings: Settings,
  ) {
    this.#state = state;
    this.#filter = new ListFilter(state, navigation);
    const overview = new AnsweredPanel(
      settings,
      { title: "Overview", question: "overview" },
      bounds,
      (body) => {
        body.append(tilesOf(undefined));
        return (rows) => updateChildren(body, tilesOf(rows[0]));
      },
    );
    const hours = new AnsweredPanel(
      settings,
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
    this.#table = table;
    const publishes = new AnsweredPanel(
      settings,
      {
        title: "Publishes",
        question: "publishes",
        holds: "below",
      },
      () => ({ ...bounds(), ...listParameters(this.#state) }),
      (body) => {
        body.append(this.#filter.element, table.element);
        return (rows) => table.show(rows, this.#state);
      },
    );
    const clients = new AnsweredPanel(
      settings,
      { title: "Clients", question: "clients" },
      bounds,
      (body) => (_rows, answer) => updateChildren(body, dataTable(answer)),
    );
    this.#panels = [overview, publishes, hours, clients];
    this.element = element(
      "div",
      { class: "panels" },
      ...this.#panels.map((panel) => panel.element),
    );
  }

  title(): string {
    return "Publishes";
  }

  take(state: ViewState): void {
    this.#state = state;
    this.#filter.take(state);
    this.#table.take(state);
  }

  async refresh(left: AbortSignal, extent: Extent): Promise<boolean> {
    return await refreshPanels(this.#panels, left, extent);
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
