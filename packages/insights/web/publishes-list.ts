import type { Parameters, Row } from "./api.js";
import { element } from "./element.js";
import { formatCount, formatMoment, formatRate, formatSeconds, momentOf } from "./format.js";
import { updateChildren } from "./update-children.js";
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

/** The list's table and the links below it, which lead to another order, page or publish. */
export class PublishesTable {
  readonly element: HTMLElement;
  readonly #head = element("thead", {});
  readonly #body = element("tbody", {});
  readonly #pages = element("span", { class: "pages" });
  readonly #renew: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #addressOf: (change: Partial<ViewState>) => string;
  #shown: readonly Row[] = [];
  #state: ViewState;

  constructor(state: ViewState, addressOf: (change: Partial<ViewState>) => string) {
    this.#state = state;
    this.#addressOf = addressOf;
    this.#scroller = element(
      "div",
      { class: "scroller", tabindex: 0, role: "region", "aria-label": "List of publishes" },
      element("table", { class: "publishes" }, this.#head, this.#body),
    );
    this.#renew = element("button", { type: "button", class: "renew" }, "Show new order");
    this.element = element(
      "div",
      {},
      this.#scroller,
      element(
        "nav",
        { class: "pager", "aria-label": "Pages of the list" },
        this.#pages,
        this.#renew,
      ),
    );
    this.take(state);
    this.#draw([], state);
  }

  /** Shows the order that is asked for, before its rows are there. */
  take(state: ViewState): void {
    const heads = HEADS.map((head) => this.#headOf(head, state));
    updateChildren(this.#head, element("tr", {}, ...heads));
  }

  /**
   * Shows a page of the list. While somebody points at a row or goes through them by keyboard, an answer in which other rows are there, or in
   * another order, only renews the figures: the rows wait until they are asked for or left alone.
   */
  show(rows: readonly Row[], state: ViewState): void {
    const isRefresh = state === this.#state && this.#shown.length > 0;
    if (!isRefresh || idsOf(rows) === idsOf(this.#shown) || !this.#isUsed()) {
      this.#draw(rows, state);
      return;
    }
    const newest = new Map(rows.map((row) => [row.text("publish_id"), row]));
    this.#draw(
      this.#shown.map((row) => newest.get(row.text("publish_id")) ?? row),
      state,
    );
    this.#renew.classList.add("wanted");
    this.#renew.onclick = () => this.#draw(rows, state);
  }

  #isUsed(): boolean {
    return (
      this.#scroller.matches(":hover, :focus-visible") ||
      this.#scroller.querySelector(":focus-visible") !== null
    );
  }

  #draw(rows: readonly Row[], state: ViewState): void {
    this.#shown = rows;
    this.#state = state;
    this.#renew.classList.remove("wanted");
    updateChildren(
      this.#body,
      ...(rows.length === 0 ? [this.#nothing()] : rows.map((row) => this.#row(row))),
    );
    updateChildren(this.#pages, ...this.#pagesOf(rows[0]?.number("total") ?? 0));
  }

  #nothing(): HTMLElement {
    const said =
      this.#state.page === 1
        ? ["No publish of this time matches. Choose a longer time, or empty the search."]
        : [
            `The list has no page ${this.#state.page}. `,
            element("a", { href: this.#addressOf({ page: 1 }) }, "Go to its first page"),
          ];
    return element("tr", {}, element("td", { colspan: HEADS.length }, ...said));
  }

  #headOf(
    { name, label, about, numeric }: Omit<Column, "cell">,
    { sort, direction }: ViewState,
  ): HTMLElement {
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
        },
        label,
        element(
          "span",
          { "aria-hidden": "true", class: "arrow" },
          isSorted ? (direction === "asc" ? "▲" : "▼") : "↕",
        ),
      ),
    );
  }

  #row(row: Row): HTMLElement {
    const id = row.text("publish_id");
    const title = row.text("title");
    return element(
      "tr",
      { "data-key": id },
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

  #pagesOf(total: number): readonly HTMLElement[] {
    const { page } = this.#state;
    const last = Math.max(1, Math.ceil(total / PAGE_SIZE));
    // A link without a page stays a link, so that it keeps the focus when its last page was reached.
    const link = (to: number, label: string) =>
      to < 1 || to > last
        ? element("a", { class: "off", role: "link", "aria-disabled": "true", tabindex: -1 }, label)
        : element("a", { href: this.#addressOf({ page: to }) }, label);
    return [
      link(page - 1, "Previous"),
      element("span", {}, `Page ${page} of ${last}, ${formatCount(total)} publishes`),
      link(page + 1, "Next"),
    ];
  }
}

const idsOf = (rows: readonly Row[]) => JSON.stringify(rows.map((row) => row.text("publish_id")));

const NAME_COLUMN = {
  name: "publish_id",
  label: "Publish",
  about: "Title, where one was imported, and id",
  numeric: false,
} as const;
const HEADS: readonly Omit<Column, "cell">[] = [NAME_COLUMN, ...COLUMNS];
