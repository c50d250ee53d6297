import { type Answer, csvUrl, type NoAnswer, type PanelQuestion, type Parameters } from "./api.js";
import { element } from "./element.js";
import { updateChildren } from "./update-children.js";

/** Rows of an answer that are shown on the page; the CSV has all. */
const MAX_NUMBERS = 500;

/** What a panel is about. */
export interface PanelOptions {
  readonly title: string;
  readonly question: PanelQuestion;
  /** What the question gives, in words. */
  readonly about: string;
  /** What is not shown before this has its answer, because nobody knows how high that will be: the panels below, or every panel. */
  readonly holds?: "below" | "all";
}

/** A part of the page that shows one answer: its picture, its numbers, its SQL to copy, and a link to its CSV. */
export class Panel {
  readonly element: HTMLElement;
  /** Where the picture goes. */
  readonly body: HTMLElement;
  readonly #problem: HTMLElement;
  readonly #csv: HTMLAnchorElement;
  readonly #sql: HTMLElement;
  readonly #numbers: HTMLElement;
  readonly #numbersBox: HTMLDetailsElement;
  readonly #question: PanelQuestion;
  #answer: Answer | null = null;

  constructor({ title, question, about, holds }: PanelOptions) {
    this.#question = question;
    this.body = element("div", { class: "panel-body" });
    this.#problem = element("p", { class: "problem", role: "status", hidden: true });
    this.#csv = element("a", { download: true, href: "#" }, "CSV");
    this.#sql = element("code", {});
    this.#numbers = element("div", {
      class: "scroller",
      tabindex: 0,
      "aria-label": `Numbers of ${title}`,
    });
    this.#numbersBox = element(
      "details",
      { ontoggle: () => this.#showNumbers() },
      element("summary", {}, "Numbers"),
      this.#numbers,
    );
    const sqlBox = element(
      "details",
      {},
      element("summary", {}, "SQL"),
      element("pre", { tabindex: 0, "aria-label": `SQL of ${title}` }, this.#sql),
      element("button", { type: "button", onclick: (event) => void this.#copy(event) }, "Copy SQL"),
    );
    this.element = element(
      "section",
      {
        class: `panel unanswered${holds === undefined ? "" : ` holds-${holds}`}`,
        "aria-label": title,
      },
      element("h2", {}, title),
      element(
        "div",
        { class: "panel-words" },
        element("p", { class: "about" }, about),
        this.#problem,
      ),
      this.body,
      element("div", { class: "panel-tools" }, this.#numbersBox, sqlBox, this.#csv),
    );
  }

  /** Shows how the answer was got; the picture is the caller's. */
  show(answer: Answer, parameters: Parameters): void {
    this.#answer = answer;
    this.#problem.hidden = true;
    this.element.classList.remove("unanswered");
    this.#csv.href = csvUrl(this.#question, parameters);
    this.#showSql(answer.sql);
    this.#showNumbers();
  }

  /** Says why there is no new answer; the last one stays. */
  fail(problem: NoAnswer): void {
    this.element.classList.remove("unanswered");
    this.#problem.hidden = false;
    this.#problem.textContent = problem.message;
  }

  /** What is marked, to be copied by hand, stays what it is. */
  #showSql(sql: string): void {
    const selection = getSelection();
    // Where somebody only clicked nothing is marked.
    const isMarked = selection?.isCollapsed === false && selection.containsNode(this.#sql, true);
    if (!isMarked || this.#sql.textContent === "") this.#sql.textContent = sql;
  }

  #showNumbers(): void {
    if (!this.#numbersBox.open || this.#answer === null) return;
    const { columns, rows } = this.#answer;
    const shown = rows.slice(0, MAX_NUMBERS);
    updateChildren(
      this.#numbers,
      element("p", { class: "hint" }, "As the database gives them: times are in UTC."),
      element(
        "table",
        {},
        element(
          "thead",
          {},
          element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name))),
        ),
        element(
          "tbody",
          {},
          ...shown.map((row) =>
            element(
              "tr",
              {},
              ...row.map((cell) => element("td", {}, cell === null ? "NULL" : String(cell))),
            ),
          ),
        ),
      ),
      ...(shown.length < rows.length
        ? [element("p", {}, `The first ${MAX_NUMBERS} of ${rows.length} rows; the CSV has all.`)]
        : []),
    );
  }

  async #copy(event: Event): Promise<void> {
    const button = event.currentTarget as HTMLButtonElement;
    const text = this.#sql.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without the right to the clipboard the text is marked, to be copied by hand.
      getSelection()?.selectAllChildren(this.#sql);
      button.textContent = "Marked: copy it";
    }
    setTimeout(() => {
      button.textContent = "Copy SQL";
    }, 2_000);
  }
}
