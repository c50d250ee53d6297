/** What fills the page for a state. It is made once for a state and refreshed while that is shown. */
export interface View {
  readonly element: HTMLElement;
  /** Asks anew and shows the answers. @throws NoAnswer when nothing can be shown at all. */
  refresh(left: AbortSignal): Promise<void>;
  /** Draws anew, in the colours of now. */
  redraw(): void;
  destroy(): void;
}
