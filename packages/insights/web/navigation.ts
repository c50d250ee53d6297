import type { ViewState } from "./view-state.js";

/** Where the page goes from here. */
export interface Navigation {
  addressOf(change: Partial<ViewState>): string;
  go(change: Partial<ViewState>): void;
}
