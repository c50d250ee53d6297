import type { View } from "./view.js";

/** A list, and how it was when one of its publishes was looked at. */
interface Left {
  readonly place: string;
  readonly view: View;
  readonly scrollY: number;
  readonly focused: Element | null;
}

/** What a stage shows. */
export interface Scene {
  /** Names the place; a view is made once for it. */
  readonly place: string;
  /** Whether one comes back from here to the list that was shown before. */
  readonly isPartOfList: boolean;
  make(): View;
}

/** The main part of the page: one view at a time, and the list that one comes back to. */
export class Stage {
  readonly #main: HTMLElement;
  #view: View | null = null;
  #scene: Scene | null = null;
  #left: Left | null = null;

  constructor(main: HTMLElement) {
    this.#main = main;
  }

  /** Whether a place is shown now; null stands for none. */
  isAt(place: string | null): boolean {
    return (this.#scene?.place ?? null) === place;
  }

  /** Shows a scene and gives its view. The list that was left comes back as it was, with its scroll and its focus. */
  show(scene: Scene): View {
    if (this.#view !== null && this.#scene?.place === scene.place) return this.#view;
    const hadFocus = this.#main.contains(document.activeElement);
    const back = this.#left?.place === scene.place ? this.#left : null;
    this.#leave(scene, back);
    const view = back?.view ?? scene.make();
    this.#view = view;
    this.#scene = scene;
    this.#main.replaceChildren(view.element);
    if (scene.isPartOfList) scrollTo(0, 0);
    if (back !== null) scrollTo(0, back.scrollY);
    if (back?.focused instanceof HTMLElement) back.focused.focus({ preventScroll: true });
    else if (hadFocus) this.#main.focus({ preventScroll: true });
    return view;
  }

  /** Draws anew, in the colours of now. */
  redraw(): void {
    this.#view?.redraw();
    this.#left?.view.redraw();
  }

  #leave(next: Scene, back: Left | null): void {
    const [view, scene] = [this.#view, this.#scene];
    if (view !== null && scene !== null && next.isPartOfList && !scene.isPartOfList) {
      const focused = this.#main.contains(document.activeElement) ? document.activeElement : null;
      this.#left = { place: scene.place, view, scrollY, focused };
      return;
    }
    view?.destroy();
    if (next.isPartOfList) return;
    if (back === null) this.#left?.view.destroy();
    this.#left = null;
  }
}
