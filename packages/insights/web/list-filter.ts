import { element } from "./element.js";
import type { Navigation } from "./navigation.js";
import type { ViewState } from "./view-state.js";

/** How long typing must rest before the list is searched, ms. */
const TYPING_MS = 300;

/** The form that says which publishes the list shows. */
export class ListFilter {
  readonly element: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #min: HTMLInputElement;
  readonly #go: Navigation["go"];
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(state: ViewState, { go }: Navigation) {
    this.#go = go;
    this.#search = element("input", {
      type: "search",
      maxlength: 256,
      placeholder: "title or publish id",
      oninput: () => this.#goSoon(() => ({ search: this.#search.value })),
    });
    this.#min = element("input", {
      type: "number",
      min: 0,
      max: 999_999_999,
      value: state.minDelivered,
      oninput: () => this.#goSoon(() => ({ minDelivered: this.#minDelivered() })),
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
    if (this.#typing !== undefined) return;
    if (this.#search.value !== search) this.#search.value = search;
    if (this.#minDelivered() !== minDelivered) this.#min.value = String(minDelivered);
  }

  #minDelivered(): number {
    return Math.max(0, Math.floor(Number(this.#min.value) || 0));
  }

  #goSoon(change: () => Partial<ViewState>): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      this.#typing = undefined;
      this.#go({ ...change(), page: 1 });
    }, TYPING_MS);
  }
}
