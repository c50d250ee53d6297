import type { Page, Route } from "playwright-core";

/** Holds the insights page's answers back until they are let go one by one, in whatever order a test wants. */
export class HeldAnswers {
  readonly #held = new Map<string, () => void>();

  /** @param questions names of those whose answers are held. */
  static async of(page: Page, questions: readonly string[]): Promise<HeldAnswers> {
    const answers = new HeldAnswers();
    await Promise.all(
      questions.map((name) =>
        page.route(`**/api/questions/${name}?*`, (route) => answers.#hold(name, route)),
      ),
    );
    return answers;
  }

  /** Whether the page has asked it. */
  isAsked(name: string): boolean {
    return this.#held.has(name);
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
