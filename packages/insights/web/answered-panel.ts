import { type Answer, ask, NoAnswer, type Parameters, type Row, rowsOf } from "./api.js";
import { Panel, type PanelOptions } from "./panel.js";

/** A panel that asks its own question; a question that fails leaves the others alone. */
export class AnsweredPanel {
  readonly panel: Panel;
  readonly #question: string;
  readonly #parameters: () => Parameters;
  readonly #draw: (rows: readonly Row[], answer: Answer) => void;

  /** @param draw makes the panel's body as high as it will be, and gives what shows rows there. */
  constructor(
    options: PanelOptions,
    parameters: () => Parameters,
    draw: (body: HTMLElement) => (rows: readonly Row[], answer: Answer) => void,
  ) {
    this.panel = new Panel(options);
    this.#question = options.question;
    this.#parameters = parameters;
    this.#draw = draw(this.panel.body);
  }

  get element(): HTMLElement {
    return this.panel.element;
  }

  async refresh(left: AbortSignal): Promise<void> {
    const parameters = this.#parameters();
    try {
      const answer = await ask(this.#question, parameters, left);
      if (left.aborted) return;
      this.#draw(rowsOf(answer), answer);
      this.panel.show(answer, parameters);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.panel.fail(error);
    }
  }
}
