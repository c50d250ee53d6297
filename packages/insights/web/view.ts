import type { Extent } from "./answered-panel.js";
import type { ViewState } from "./view-state.js";

/** What fills the page for a place: an instance in a time, or a publish. It is made once for that and refreshed while it is shown. */
export interface View {
  readonly element: HTMLElement;
  /** The page's title while it is shown. */
  title(): string;
  /** Takes another state of the same place; the next refresh shows it. */
  take(state: ViewState): void;
  /** Asks anew and shows the answers. Gives whether all is shown that can be answered; whatever it asks has ended then. */
  refresh(left: AbortSignal, extent: Extent): Promise<boolean>;
  /** Draws anew, in the colours of now. */
  redraw(): void;
  destroy(): void;
}
