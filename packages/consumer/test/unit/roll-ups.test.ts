import { describe, expect, it } from "@jest/globals";
import { nextTurn } from "@push-reports/test-support";
import { completeRollUps, type RollUpDatabase } from "../../src/roll-ups.js";

/** Answers nothing until it is told to, and writes down what it was asked. */
class HeldDatabase implements RollUpDatabase {
  readonly asked: string[] = [];
  #held: (() => void)[] = [];
  /** The table whose rows it refuses. */
  refused: string | null = null;

  async select<T>(_query: string, params: Readonly<Record<string, unknown>>) {
    const { view, table } = params;
    await this.#hold(`${view === undefined ? "columns" : "definition"} of ${view ?? table}`);
    const row =
      view === undefined
        ? { name: "column" }
        : { as_select: "SELECT 1 FROM db.reports GROUP BY 1" };
    return [row] as unknown as readonly T[];
  }

  async insertSelected(table: string) {
    if (table === this.refused) throw new Error(`Refused: ${table}`);
    await this.#hold(`rows of ${table}`);
  }

  /** Answers whatever was asked, and gives it. */
  async answer(): Promise<readonly string[]> {
    await nextTurn();
    for (const answer of this.#held.splice(0)) answer();
    return this.asked.splice(0).toSorted((a, b) => (a < b ? -1 : 1));
  }

  async #hold(what: string): Promise<void> {
    this.asked.push(what);
    await new Promise<void>((resolve) => {
      this.#held.push(resolve);
    });
  }
}

describe("completing roll-ups", () => {
  it("takes as long as two statements, however many there are: everything behind the range waits for it", async () => {
    const database = new HeldDatabase();
    const done = completeRollUps(database, "db", "partition = 1", {});

    expect(await database.answer()).toEqual([
      "columns of instance_hours",
      "columns of notifications",
      "columns of publish_activity",
      "definition of instance_hours_of_reports",
      "definition of notifications_of_reports",
      "definition of publish_activity_of_reports",
    ]);
    expect(await database.answer()).toEqual([
      "rows of instance_hours",
      "rows of notifications",
      "rows of publish_activity",
    ]);
    await done;
  });

  it("fails only once the others have ended", async () => {
    const database = new HeldDatabase();
    database.refused = "publish_activity";
    let failure: unknown = null;
    const done = completeRollUps(database, "db", "partition = 1", {}).catch((error: unknown) => {
      failure = error;
    });
    await database.answer();
    await nextTurn();
    expect(failure).toBeNull();
    expect(await database.answer()).toEqual(["rows of instance_hours", "rows of notifications"]);
    await done;
    expect(failure).toMatchObject({ message: "Refused: publish_activity" });
  });
});
