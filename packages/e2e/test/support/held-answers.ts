import { waitFor } from "@push-reports/test-support";
import type { Page, Request, Route } from "playwright-core";

/** Holds the insights page's answers back until they are let go one by one, in whatever order a test wants. */
export class HeldAnswers {
  readonly #page: Page;
  readonly #questions: readonly string[];
  readonly #held = new Map<string, () => void>();
  /** Whatever the page has asked its server for and not got yet. */
  readonly #underWay = new Set<Request>();
  readonly #failed: string[] = [];

  private constructor(page: Page, questions: readonly string[]) {
    this.#page = page;
    this.#questions = questions;
    page.on("request", (request) => this.#underWay.add(request));
    page.on("requestfinished", (request) => this.#underWay.delete(request));
    page.on("requestfailed", (request) => {
      this.#underWay.delete(request);
      this.#failed.push(`${pathOf(request)}: ${request.failure()?.errorText}`);
    });
  }

  /** @param questions names of those whose answers are held. */
  static async of(page: Page, questions: readonly string[]): Promise<HeldAnswers> {
    const answers = new HeldAnswers(page, questions);
    await Promise.all(
      questions.map((name) =>
        page.route(`**/api/questions/${name}?*`, (route) => answers.#hold(name, route)),
      ),
    );
    return answers;
  }

  /** Waits until the page has asked all of them. @throws Error that says which it has not, and what the page is at instead. */
  async untilAsked(): Promise<void> {
    const unasked = () => this.#questions.filter((name) => !this.#held.has(name));
    try {
      await waitFor(() => unasked().length === 0, { what: "questions" });
    } catch (cause) {
      const shown = await this.#page
        .evaluate(`[document.visibilityState, document.getElementById("freshness").textContent]`)
        .catch(String);
      const state = {
        unasked: unasked(),
        underWay: [...this.#underWay].map(pathOf),
        failed: this.#failed,
        shown,
      };
      throw new Error(`The page does not ask: ${JSON.stringify(state)}`, { cause });
    }
  }

  /** Lets the answer come that is waited for. */
  release(name: string): void {
    const release = this.#held.get(name);
    if (release === undefined) throw new Error(`The page has not asked ${name}`);
    this.#held.delete(name);
    release();
  }

  async #hold(name: string, route: Route): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#held.set(name, resolve);
    });
    // A page that was closed meanwhile waits for nothing.
    await route.continue().catch(() => undefined);
  }
}

const pathOf = (request: Request) => new URL(request.url()).pathname;
