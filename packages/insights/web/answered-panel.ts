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

/** What a refresh asks anew: everything, or what is not answered yet. */
export type Extent = "all" | "unanswered";

/** How long a question that was too much to answer rests before it is asked again, at first and at most, ms. */
const [FIRST_REST_MS, LONGEST_REST_MS] = [30_000, 600_000];

/** A panel that asks its own question; a question that fails leaves the others alone. */
export class AnsweredPanel {
  readonly panel: Panel;
  readonly #settings: Settings;
  readonly #question: PanelQuestion;
  readonly #parameters: () => Parameters;
  readonly #draw: (rows: readonly Row[], answer: Answer) => void;
  #isAnswered = false;
  /** The question that was too much to answer, how long it rests, and until when, in Unix ms. */
  #resting = { question: "", restMs: 0, until: 0 };

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

  /** Whether its last question has its answer. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Asks anew. Gives whether the same question need not be asked again: it is answered, or has no answer later either. */
  async refresh(left: AbortSignal, extent: Extent): Promise<boolean> {
    if (extent === "unanswered" && this.#isAnswered) return true;
    const parameters = this.#parameters();
    if (this.#isResting(parameters)) return false;
    this.#isAnswered = false;
    try {
      const answer = await ask(this.#question, parameters, this.#settings, left);
      if (left.aborted) return false;
      this.#draw(rowsOf(answer), answer);
      this.panel.show(answer, parameters);
      this.#isAnswered = true;
      this.#resting = { question: "", restMs: 0, until: 0 };
      return true;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (left.aborted) return false;
      this.panel.fail(error);
      if (error.isCostly) this.#rest(parameters);
      return error.isLasting;
    }
  }

  #isResting(parameters: Parameters): boolean {
    return this.#resting.question === nameOf(parameters) && Date.now() < this.#resting.until;
  }

  /** Rests twice as long as the last time. */
  #rest(parameters: Parameters): void {
    const question = nameOf(parameters);
    const last = this.#resting.question === question ? this.#resting.restMs : 0;
    const restMs = Math.min(LONGEST_REST_MS, Math.max(FIRST_REST_MS, 2 * last));
    this.#resting = { question, restMs, until: Date.now() + restMs };
  }
}

/** The same for the same question of a time that moves on. */
function nameOf({ from: _from, to: _to, ...others }: Parameters): string {
  return JSON.stringify(others);
}

/**
 * Asks for panels, those without an answer first: where a database does one question at a time, the last ones may not come to their turn.
 * Waits for all of them, and gives whether none needs to be asked again. @throws what the drawing of a panel threw.
 */
export async function refreshPanels(
  panels: readonly AnsweredPanel[],
  left: AbortSignal,
  extent: Extent,
): Promise<boolean> {
  const inOrder = [...panels].sort((a, b) => Number(a.isAnswered) - Number(b.isAnswered));
  const ended = await Promise.allSettled(inOrder.map((panel) => panel.refresh(left, extent)));
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return ended.every((end) => end.status === "fulfilled" && end.value);
}
