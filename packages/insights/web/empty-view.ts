import { element } from "./element.js";
import type { View } from "./view.js";

const INSTANCE_ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";

/** What is shown while there is no report at all: how to send one. */
export class EmptyView implements View {
  readonly element: HTMLElement;

  constructor(reportingUrl: string) {
    const report = {
      event: "delivery",
      publishId: "pubid-first",
      deviceId: "web-first",
      timestampSecs: Math.floor(Date.now() / 1_000),
      appInBackground: true,
      hasDisplayableContent: true,
    };
    const command = `curl -i -H 'content-type: application/json' -d '${JSON.stringify(report)}' ${reportingUrl}/reporting_api/v2/instances/${INSTANCE_ID}/events`;
    this.element = element(
      "section",
      { class: "panel" },
      element("h2", {}, "No reports in this time"),
      element(
        "p",
        {},
        "Choose a longer time above, or send a report. It appears here within seconds:",
      ),
      element(
        "pre",
        { tabindex: 0, "aria-label": "A report to send" },
        element("code", {}, command),
      ),
    );
  }

  title(): string {
    return "No reports";
  }

  take(): void {}
  async refresh(): Promise<boolean> {
    return true;
  }
  redraw(): void {}
  destroy(): void {}
}
