import { AnsweredPanel } from "./answered-panel.js";
import type { Parameters, Row } from "./api.js";
import { TimeChart } from "./chart.js";
import { dataTable } from "./data-table.js";
import { element } from "./element.js";
import { evenly } from "./evenly.js";
import { formatCount, formatMoment, formatRate, formatSeconds, momentOf } from "./format.js";
import { funnel } from "./funnel.js";
import type { Navigation } from "./instance-view.js";
import { tiles } from "./tiles.js";
import type { View } from "./view.js";

/** One publish: how far it came, when, how fast it was opened, and on which clients. */
export class PublishView implements View {
  readonly element: HTMLElement;
  readonly #panels: readonly AnsweredPanel[];
  #chart: TimeChart | null = null;

  /** @param publish instance and publish, for every question. */
  constructor(publishId: string, publish: () => Parameters, { addressOf }: Navigation) {
    const heading = element("h2", { class: "publish-title" }, publishId);
    const summary = new AnsweredPanel(
      { title: "Funnel", question: "publish" },
      publish,
      (body) => (rows) => {
        const [row] = rows;
        if (row === undefined) {
          body.replaceChildren(
            element("p", { class: "note" }, "No report of this publish has come in."),
          );
          return;
        }
        const title = row.text("title");
        heading.replaceChildren(
          title === "" ? publishId : title,
          ...(title === "" ? [] : [element("span", { class: "hint" }, publishId)]),
        );
        body.replaceChildren(funnelOf(row), tilesOf(row));
      },
    );
    const timeline = new AnsweredPanel(
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
      { title: "Time to open", question: "time_to_open" },
      publish,
      (body) => (rows) => body.replaceChildren(timesOf(rows[0]), openedWithin(rows[0])),
    );
    const clients = new AnsweredPanel(
      { title: "Clients", question: "publish_clients" },
      publish,
      (body) => (_rows, answer) => body.replaceChildren(dataTable(answer)),
    );
    this.#panels = [summary, timeline, timeToOpen, clients];
    this.element = element(
      "div",
      { class: "panels" },
      element(
        "nav",
        { class: "back" },
        element(
          "a",
          { href: addressOf({ publish: null }), "data-focus": "back" },
          "← All publishes",
        ),
      ),
      heading,
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
  const moment = (name: string) => formatMoment(momentOf(row.text(name)));
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
    { label: "First activity", value: moment("first_activity") },
    { label: "Last activity", value: moment("last_activity") },
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
