import { element } from "./element.js";
import { formatCount, formatRate } from "./format.js";

/** A step of a funnel: devices that came so far. */
export interface FunnelStep {
  readonly label: string;
  readonly devices: number;
  /** Share of which step it is measured by, or null for the first. */
  readonly share: number | null;
  readonly shareOf: string;
}

/** Bars below each other; each is as wide as its share of the widest. */
export function funnel(steps: readonly FunnelStep[]): HTMLElement {
  const widest = Math.max(1, ...steps.map(({ devices }) => devices));
  return element(
    "ol",
    { class: "funnel" },
    ...steps.map(({ label, devices, share, shareOf }) =>
      element(
        "li",
        {},
        element("span", { class: "funnel-label" }, label),
        element("span", { class: "funnel-track", "aria-hidden": "true" }, barOf(devices / widest)),
        element(
          "span",
          { class: "funnel-value" },
          share === null
            ? `${formatCount(devices)} devices`
            : `${formatCount(devices)} devices, ${formatRate(share)} ${shareOf}`,
        ),
      ),
    ),
  );
}

/** The width is no attribute: the page's security policy allows no styles in its text. */
function barOf(share: number): HTMLElement {
  const bar = element("span", { class: "funnel-bar" });
  bar.style.width = `${100 * share}%`;
  return bar;
}
