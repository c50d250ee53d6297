import { element } from "./element.js";
import type { Navigation } from "./navigation.js";
import { MAX_MIN_DELIVERED, type ViewState } from "./view-state.js";

/** How long typing must rest before the list is searched, ms. */
const TYPING_MS = 300;

type Typed = Partial<Pick<ViewState, "search" | "minDelivered">>;

/** The form that says which publishes the list shows. */
export class ListFilter {
  readonly element: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #min: HTMLInputElement;
  readonly #go: Navigation["go"];
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** What was typed and is not gone to yet. */
  #typed: Typed = {};

  constructor(state: ViewState, { go }: Navigation) {
    this.#go = go;
    this.#search = element("input", {
      type: "search",
      maxlength: 256,
      placeholder: "title or publish id",
      oninput: () => this.#goSoon({ search: this.#search.value }),
    });
    this.#min = element("input", {
      type: "number",
      min: 0,
      max: MAX_MIN_DELIVERED,
      value: state.minDelivered,
      oninput: () => this.#goSoon({ minDelivered: this.#minDelivered() }),
    });
    this.element = element(
      "form",
      { class: "filter", role: "search", onsubmit: (event) => event.preventDefault() },
      element("label", {}, "Search ", this.#search),
      element("label", {}, "Delivered to at least ", this.#min, " devices"),
    );
    this.take(state);
  }

  /** Shows what a state says, unless somebody is typing something else. */
  take({ search, minDelivered }: ViewState): void {
    const typed = this.#typed;
    if (typed.search === undefined && this.#search.value !== search) this.#search.value = search;
    if (typed.minDelivered === undefined && Number(this.#min.value) !== minDelivered)
      this.#min.value = String(minDelivered);
  }

  #minDelivered(): number {
    const typed = Math.floor(Number(this.#min.value) || 0);
    return Math.min(MAX_MIN_DELIVERED, Math.max(0, typed));
  }

  #goSoon(more: Typed): void {
    this.#typed = { ...this.#typed, ...more };
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      const typed = this.#typed;
      this.#typed = {};
      // Who has left the list meanwhile is not brought back to it.
      if (this.element.isConnected) this.#go({ ...typed, page: 1 });
    }, TYPING_MS);
  }
}
