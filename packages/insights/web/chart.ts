import uPlot from "/chart/uPlot.esm.js";
import { element } from "./element.js";
import { formatCount, formatShortCount } from "./format.js";

/** A line of a chart. */
export interface Line {
  readonly label: string;
  /** CSS variable of its colour. */
  readonly colour: string;
  /** Drawn dashed, so that lines differ without their colours. */
  readonly dashed?: boolean;
}

/** What a chart shows: times in Unix seconds, and a value of each line for each. */
export interface Points {
  readonly times: readonly number[];
  readonly values: readonly (readonly (number | null)[])[];
}

const HEIGHT_PX = 240;
/** Beside the plot, for the half of the last label that is beyond its end. */
const RIGHT_PX = 32;

/** Lines over time that fill the width of their container. */
export class TimeChart {
  readonly #container: HTMLElement;
  readonly #lines: readonly Line[];
  readonly #resizes: ResizeObserver;
  readonly #note = element("p", { class: "note chart-note", hidden: true }, "No reports here.");
  #plot: uPlot | null = null;
  #points: Points = { times: [], values: [] };

  constructor(container: HTMLElement, lines: readonly Line[]) {
    this.#container = container;
    this.#lines = lines;
    this.#resizes = new ResizeObserver(() =>
      this.#plot?.setSize({ width: container.clientWidth, height: HEIGHT_PX }),
    );
    this.#resizes.observe(container);
    container.classList.add("chart");
    container.append(this.#note);
  }

  show(points: Points): void {
    this.#points = points;
    this.#note.hidden = points.times.length > 0;
    const data = [points.times, ...points.values] as unknown as uPlot.AlignedData;
    if (this.#plot === null) this.#plot = new uPlot(this.#options(), data, this.#container);
    else this.#plot.setData(data);
  }

  /** Draws anew, in the colours of now. */
  redraw(): void {
    if (this.#plot === null) return;
    this.#plot.destroy();
    this.#plot = null;
    this.show(this.#points);
  }

  destroy(): void {
    this.#resizes.disconnect();
    this.#plot?.destroy();
  }

  #options(): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--text-soft"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: this.#container.clientWidth,
      height: HEIGHT_PX,
      padding: [null, RIGHT_PX, null, null],
      cursor: { y: false },
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [
        { ...axis, space: 80 },
        { ...axis, size: 56, values: (_plot, splits) => splits.map((at) => formatShortCount(at)) },
      ],
      series: [
        {},
        ...this.#lines.map((line) => ({
          label: line.label,
          stroke: colour(line.colour),
          width: 2,
          points: { show: this.#points.times.length < 3 },
          ...(line.dashed === true ? { dash: [6, 4] } : {}),
          value: (_plot: uPlot, value: number | null) => formatCount(value),
        })),
      ],
    };
  }
}
