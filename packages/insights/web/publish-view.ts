import { AnsweredPanel, type Extent, refreshPanels } from "./answered-panel.js";
import type { Parameters, Row, Settings } from "./api.js";
import { TimeChart } from "./chart.js";
import { dataTable } from "./data-table.js";
import { element } from "./element.js";
import { evenly } from "./evenly.js";
import {
  formatCount,
  formatDay,
  formatRate,
  formatSeconds,
  formatTime,
  momentOf,
} from "./format.js";
import { funnel } from "./funnel.js";
import type { Navigation } from "./navigation.js";
import { tiles } from "./tiles.js";
import { updateChildren } from "./update-children.js";
import type { View } from "./view.js";

/** One publish: how far it came, when, how fast it was opened, and on which clients. */
export class PublishView implements View {
  readonly element: HTMLElement;
  readonly #panels: readonly AnsweredPanel[];
  #title: string;
  #chart: TimeChart | null = null;

  /**
   * @param publish instance and publish, for every question.
   */
  constructor(
    publishId: string,
    publish: () => Parameters,
    { addressOf }: Navigation,
    settings: Settings,
  ) {
    this.#title = publishId;
    const heading = element("h2", { class: "publish-title" }, publishId);
    const back = element("a", { href: addressOf({ publish: null }) }, "← All publishes");
    const summary = new AnsweredPanel(
      settings,
      { title: "Funnel", question: "publish", holds: "all" },
      publish,
      (body) => (rows) => {
        const [row] = rows;
        if (row === undefined) {
          updateChildren(body, nothing());
          return;
        }
        const title = row.text("title");
        this.#title = title === "" ? publishId : title;
        updateChildren(
          heading,
          document.createTextNode(this.#title),
          ...(title === "" ? [] : [element("span", { class: "hint" }, publishId)]),
        );
        updateChildren(body, funnelOf(row), tilesOf(row));
      },
    );
    const timeline = new AnsweredPanel(
      settings,
      { title: "Timeline", question: "publish_timeline" },
      publish,
      (body) => {
        const chart = new TimeChart(body, [
          { label: "Delivered", colour: "--series-1" },
          { label: "Opened", colour: "--series-2", dashed: true },
        ]);
        this.#chart = chart;
        return (rows) =>
          chart.show(
            evenly(rows, {
              time: "at",
              stepSecs: 60 * (rows[0]?.number("step_minutes") ?? 1),
              values: ["delivered", "opened"],
            }),
          );
      },
    );
    const timeToOpen = new AnsweredPanel(
      settings,
      { title: "Time to open", question: "time_to_open" },
      publish,
      (body) => {
        body.append(timesOf(undefined), openedWithin(undefined));
        return (rows) => updateChildren(body, timesOf(rows[0]), openedWithin(rows[0]));
      },
    );
    const clients = new AnsweredPanel(
      settings,
      { title: "Clients", question: "publish_clients" },
      publish,
      (body) => (_rows, answer) => updateChildren(body, dataTable(answer)),
    );
    this.#panels = [summary, timeline, timeToOpen, clients];
    this.element = element(
      "div",
      { class: "panels" },
      element("nav", { class: "back" }, back),
      heading,
      ...this.#panels.map((panel) => panel.element),
    );
  }

  title(): string {
    return this.#title;
  }

  take(): void {}

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

function nothing(): HTMLElement {
  return element(
    "p",
    { class: "note" },
    "No report of this publish has come in. Look for it among all publishes, or choose another instance above.",
  );
}

function funnelOf(row: Row): HTMLElement {
  const number = (name: string) => row.number(name) ?? 0;
  const recipients = row.number("recipients");
  const sent =
    recipients === null
      ? []
      : [{ label: "Sent to", devices: recipients, share: null, shareOf: "" }];
  return funnel([
    ...sent,
    {
      label: "Delivered",
      devices: number("delivered"),
      share: row.number("acknowledgement_rate"),
      shareOf: "of those it was sent to",
    },
    {
      label: "Openable",
      devices: number("openable"),
      share: number("delivered") === 0 ? null : number("openable") / number("delivered"),
      shareOf: "of those delivered",
    },
    {
      label: "Opened, of those openable",
      devices: number("opened_openable"),
      share: row.number("open_rate"),
      shareOf: "of those openable: the open rate",
    },
  ]);
}

function tilesOf(row: Row): HTMLElement {
  const moment = (name: string) => momentOf(row.text(name));
  const times = (name: string) => ({
    value: formatTime(moment(name)),
    hint: formatDay(moment(name)),
  });
  return tiles([
    { label: "Opened in all", value: formatCount(row.number("opened")), hint: "openable or not" },
    {
      label: "Opened without a delivery report",
      value: formatCount(row.number("opened_without_delivery")),
    },
    { label: "Users", value: formatCount(row.number("users")) },
    {
      label: "Repeated reports",
      value: formatRate(row.number("repeated_share")),
      hint: "sent again by the SDKs",
    },
    { label: "First activity", ...times("first_activity") },
    { label: "Last activity", ...times("last_activity") },
  ]);
}

function timesOf(row: Row | undefined): HTMLElement {
  const seconds = (name: string) => formatSeconds(row?.number(name) ?? null);
  return tiles([
    { label: "Half of them within", value: seconds("p50_secs"), hint: "median" },
    { label: "Nine of ten within", value: seconds("p90_secs"), hint: "90th percentile" },
    {
      label: "All but one in a hundred within",
      value: seconds("p99_secs"),
      hint: "99th percentile",
    },
    {
      label: "Devices measured",
      value: formatCount(row?.number("devices") ?? null),
      hint: "with a delivery and an open",
    },
  ]);
}

const WITHIN = [
  ["within_minute", "Within a minute"],
  ["within_10_minutes", "Within 10 minutes"],
  ["within_hour", "Within an hour"],
  ["within_day", "Within a day"],
  ["devices", "At any time"],
] as const;

function openedWithin(row: Row | undefined): HTMLElement {
  const all = row?.number("devices") ?? 0;
  return funnel(
    WITHIN.map(([column, label]) => {
      const devices = row?.number(column) ?? 0;
      return { label, devices, share: all === 0 ? null : devices / all, shareOf: "of them" };
    }),
  );
}
