import type { Parameters, Row } from "./api.js";
import { element } from "./element.js";
import { formatCount, formatMoment, formatRate, formatSeconds, momentOf } from "./format.js";
import type { SortColumn, ViewState } from "./view-state.js";

/** Publishes of one page of the list. */
export const PAGE_SIZE = 25;

interface Column {
  readonly name: SortColumn;
  readonly label: string;
  /** The column's definition, for who points at it or has it read. */
  readonly about: string;
  readonly numeric: boolean;
  cell(row: Row): string;
}

const COLUMNS: readonly Column[] = [
  {
    name: "first_activity",
    label: "First activity",
    about: "When the first report of the publish was received",
    numeric: false,
    cell: (row) => formatMoment(momentOf(row.text("first_activity"))),
  },
  {
    name: "delivered",
    label: "Delivered",
    about: "Devices with at least one delivery report",
    numeric: true,
    cell: (row) => formatCount(row.number("delivered")),
  },
  {
    name: "openable",
    label: "Openable",
    about: "Delivered in the background and with displayable content",
    numeric: true,
    cell: (row) => formatCount(row.number("openable")),
  },
  {
    name: "opened",
    label: "Opened",
    about: "Devices with at least one open report",
    numeric: true,
    cell: (row) => formatCount(row.number("opened")),
  },
  {
    name: "open_rate",
    label: "Open rate",
    about: "Devices both opened and openable, of those openable",
    numeric: true,
    cell: (row) => formatRate(row.number("open_rate")),
  },
  {
    name: "p50_secs",
    label: "Median time to open",
    about: "Half of the devices that opened did so within this time of the delivery",
    numeric: true,
    cell: (row) => formatSeconds(row.number("p50_secs")),
  },
];

/** What the list asks with. */
export function listParameters(state: ViewState): Parameters {
  return {
    search: state.search,
    min_delivered: state.minDelivered,
    sort: state.sort,
    direction: state.direction,
    limit: PAGE_SIZE,
    offset: (state.page - 1) * PAGE_SIZE,
  };
}

/** The list's table and the links below it; a change of sort, page or publish goes to `go`. */
export class PublishesTable {
  readonly element: HTMLElement;
  readonly #body = element("tbody", {});
  readonly #pager = element("nav", { class: "pager", "aria-label": "Pages of the list" });
  readonly #state: ViewState;
  readonly #addressOf: (change: Partial<ViewState>) => string;

  constructor(state: ViewState, addressOf: (change: Partial<ViewState>) => string) {
    this.#state = state;
    this.#addressOf = addressOf;
    const heads = COLUMNS.map((column) => this.#head(column));
    this.element = element(
      "div",
      {},
      element(
        "div",
        { class: "scroller", tabindex: 0, role: "region", "aria-label": "List of publishes" },
        element(
          "table",
          { class: "publishes" },
          element("thead", {}, element("tr", {}, this.#head(NAME_COLUMN), ...heads)),
          this.#body,
        ),
      ),
      this.#pager,
    );
  }

  show(rows: readonly Row[]): void {
    this.#body.replaceChildren(...rows.map((row) => this.#row(row)));
    if (rows.length === 0)
      this.#body.append(
        element(
          "tr",
          {},
          element(
            "td",
            { colspan: COLUMNS.length + 1 },
            "No publish of this time matches. Choose a longer time, or empty the search.",
          ),
        ),
      );
    this.#pager.replaceChildren(...this.#pages(rows[0]?.number("total") ?? 0));
  }

  #head({ name, label, about, numeric }: Omit<Column, "cell">): HTMLElement {
    const { sort, direction } = this.#state;
    const isSorted = sort === name;
    const next = isSorted && direction === "desc" ? "asc" : "desc";
    const order = direction === "asc" ? "ascending" : "descending";
    return element(
      "th",
      { scope: "col", class: numeric ? "numeric" : null, "aria-sort": isSorted ? order : null },
      element(
        "a",
        {
          href: this.#addressOf({ sort: name, direction: next, page: 1 }),
          title: about,
          "data-focus": `sort-${name}`,
        },
        label,
        element(
          "span",
          { "aria-hidden": "true", class: "arrow" },
          isSorted ? (direction === "asc" ? " ▲" : " ▼") : "",
        ),
      ),
    );
  }

  #row(row: Row): HTMLElement {
    const id = row.text("publish_id");
    const title = row.text("title");
    return element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        element("a", { href: this.#addressOf({ publish: id }) }, title === "" ? id : title),
        title === "" ? null : element("span", { class: "hint" }, id),
      ),
      ...COLUMNS.map((column) =>
        element(
          "td",
          { class: column.numeric ? "numeric" : null, "data-label": column.label },
          column.cell(row),
        ),
      ),
    );
  }

  #pages(total: number): readonly (HTMLElement | string)[] {
    const { page } = this.#state;
    const last = Math.max(1, Math.ceil(total / PAGE_SIZE));
    const link = (to: number, label: string) =>
      to < 1 || to > last
        ? element("span", { class: "off" }, label)
        : element("a", { href: this.#addressOf({ page: to }), "data-focus": label }, label);
    return [
      link(page - 1, "Previous"),
      element("span", {}, `Page ${page} of ${last}, ${formatCount(total)} publishes`),
      link(page + 1, "Next"),
    ];
  }
}

const NAME_COLUMN = {
  name: "publish_id",
  label: "Publish",
  about: "Title, where one was imported, and id",
  numeric: false,
} as const;
