import {
  type Answer,
  ask,
  NoAnswer,
  type PanelQuestion,
  type Parameters,
  type Row,
  rowsOf,
  type Settings,
} from "./api.js";
import { Panel, type PanelOptions } from "./panel.js";

/** A panel that asks its own question; a question that fails leaves the others alone. */
export class AnsweredPanel {
  readonly panel: Panel;
  readonly #settings: Settings;
  readonly #question: PanelQuestion;
  readonly #parameters: () => Parameters;
  readonly #draw: (rows: readonly Row[], answer: Answer) => void;

  /** @param draw makes the panel's body as high as it will be, and gives what shows rows there. */
  constructor(
    settings: Settings,
    options: Omit<PanelOptions, "about">,
    parameters: () => Parameters,
    draw: (body: HTMLElement) => (rows: readonly Row[], answer: Answer) => void,
  ) {
    this.panel = new Panel({ ...options, about: settings.abouts[options.question] });
    this.#settings = settings;
    this.#question = options.question;
    this.#parameters = parameters;
    this.#draw = draw(this.panel.body);
  }

  get element(): HTMLElement {
    return this.panel.element;
  }

  /** Asks anew. Gives whether the same question need not be asked again: it is answered, or has no answer later either. */
  async refresh(left: AbortSignal): Promise<boolean> {
    const parameters = this.#parameters();
    try {
      const answer = await ask(this.#question, parameters, this.#settings, left);
      if (left.aborted) return false;
      this.#draw(rowsOf(answer), answer);
      this.panel.show(answer, parameters);
      return true;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (!left.aborted) this.panel.fail(error);
      return error.isLasting;
    }
  }
}
