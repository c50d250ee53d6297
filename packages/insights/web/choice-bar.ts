import type { Row } from "./api.js";
import { element } from "./element.js";
import { formatShortCount } from "./format.js";
import type { Navigation } from "./navigation.js";
import { TimeChoice } from "./time-choice.js";
import { updateChildren } from "./update-children.js";
import type { ViewState } from "./view-state.js";

/** The form at the top: which instance, which time. Its fields stay while they are filled anew: one may be open or typed in. */
export class ChoiceBar {
  readonly #instance: HTMLSelectElement;
  readonly #time: TimeChoice;
  /** Instances that were answered last, with a label each; null before. */
  #known: readonly { readonly id: string; readonly label: string }[] | null = null;

  constructor(form: HTMLElement, navigation: Navigation) {
    this.#instance = element("select", {
      class: "instance",
      onchange: () => navigation.go({ instance: this.#instance.value, publish: null, page: 1 }),
    });
    this.#time = new TimeChoice(navigation);
    form.replaceChildren(
      element("label", {}, element("span", {}, "Instance"), this.#instance),
      ...this.#time.elements,
    );
  }

  /** Shows the state of the page. */
  take(state: ViewState): void {
    this.#time.take(state);
    this.#showInstances(state.instance);
  }

  /** Shows the instances that there are in the time of a state. */
  show(instances: readonly Row[], state: ViewState): void {
    this.#known = instances.map((row) => ({
      id: row.text("instance_id"),
      label: `${row.text("instance_id")} (${formatShortCount(row.number("delivered_approx") ?? 0)} delivered)`,
    }));
    this.take(state);
  }

  #showInstances(chosen: string | null): void {
    const known = this.#known ?? [];
    const note = this.#known === null ? "" : " (nothing in this time)";
    const isKnown = chosen === null || known.some(({ id }) => id === chosen);
    const all = isKnown ? known : [{ id: chosen, label: `${chosen}${note}` }, ...known];
    // Options that change under who is choosing one would be another's in the next moment.
    const isOpen = document.activeElement === this.#instance;
    if (!isOpen || !this.#offers(chosen))
      updateChildren(
        this.#instance,
        ...all.map(({ id, label }) => element("option", { value: id, "data-key": id }, label)),
      );
    if (chosen !== null && this.#instance.value !== chosen) this.#instance.value = chosen;
  }

  #offers(id: string | null): boolean {
    return [...this.#instance.options].some(({ value }) => value === id);
  }
}
