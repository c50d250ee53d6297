import { failureOf, isAboutARow } from "../../../src/insert-failures.js";
import type { WriteFailure } from "../../../src/report-writer.js";
import {
  answerLost,
  cutBefore,
  cutInAnswer,
  cutWithin,
  late,
  lost,
  passOn,
  refused,
  refusedThoughExecuted,
} from "../support/answers.js";
import type { FaultMaker } from "../support/fault.js";
import type { AnswerKind, StatementTable } from "../support/planned-answers.js";
import type { Random } from "../support/random.js";

/** Answers to inserts that come late or never, or whose connection is cut. */
export const insertAnsweredLate = unusual("answered late", (random) =>
  late(random.pick([300, 1_000, 2_500])),
);
export const insertLost = unusual("lost", () => lost);
export const insertAnswerLost = unusual("executed and never answered", () => answerLost);
export const insertCutBefore = unusual("cut before it is executed", () => cutBefore);
export const insertCutWithin = unusual("cut in the middle of its rows", () => cutWithin);
export const insertCutInAnswer = unusual("cut in the middle of the answer", () => cutInAnswer);

/** Statements whose answer is a failure; `bad_record` is said of ranges without a bad record too. */
export const refusedFor = (failure: WriteFailure): FaultMaker =>
  unusual(`refused as ${failure}`, (random) => refused(codeOf(failure, random)));

/** An insert of rows is refused with a code that may be chance, and so is the first probe of the range, which may be of a single record. */
export const refusedByChance: FaultMaker = (random) => {
  const [ofInsert, ofProbe] = [chanceOf(random), chanceOf(random)];
  return {
    title: "an insert into reports and the probe of its range refused by chance",
    strike: async ({ group }) => {
      await Promise.all([
        group.answers.plan("reports", refused(ofInsert)),
        // The control line.
        group.answers.plan("probe", passOn),
        group.answers.plan("probe", refused(ofProbe)),
      ]);
    },
  };
};
export const refusedThoughDone: FaultMaker = unusual("executed and refused", (random) =>
  refusedThoughExecuted(codeOf("passes_with_time", random)),
);

const CODES = Array.from({ length: 1_000 }, (_, index) => index + 1);

/** Most of what goes wrong concerns `reports`; the other statements of the protocol are not spared. */
const TABLES: readonly StatementTable[] = ["reports", "reports", "ledger", "dead_letters"];

function unusual(what: string, kindOf: (random: Random) => AnswerKind): FaultMaker {
  return (random) => {
    const table = random.pick(TABLES);
    const answer = kindOf(random);
    return {
      title: `an insert into ${table} ${what}`,
      strike: async ({ group }) => {
        await group.answers.plan(table, answer);
      },
    };
  };
}

/** A code of ClickHouse's that means this kind of failure; some that no server has yet among them. */
function codeOf(failure: WriteFailure, random: Random): number {
  return random.pick(CODES.filter((code) => failureOf(code) === failure));
}

/** A code that says nothing of a row, and nothing else that we know. */
function chanceOf(random: Random): number {
  return random.pick(
    CODES.filter((code) => failureOf(code) === "bad_record" && !isAboutARow(code)),
  );
}
