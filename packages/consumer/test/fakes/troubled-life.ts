import { WriteError } from "../../src/report-writer.js";
import type { FailureMoment, FailuresOnCommand } from "./failures-on-command.js";
import { Crash, type IngestionWorld, type Life } from "./ingestion-world.js";

/** Where a call goes wrong. */
export type TroubledPart =
  | "writer"
  /** A part of an insert: what is of one month. */
  | "part"
  | "probe"
  | "ledger"
  | "deadLetters"
  | "storedReports"
  | "commit"
  | "position";

/** One thing that goes wrong in a process's life. */
export type Trouble =
  /** The process dies at its n-th step, or its epoch ends there. */
  | { readonly kind: "step"; readonly nth: number; readonly how: "crash" | "end" }
  /** The n-th call from where the plans stand fails: the process dies, or it hears of a failure that passes. */
  | {
      readonly kind: "call";
      readonly part: TroubledPart;
      readonly passing: number;
      readonly moment: FailureMoment;
      readonly how: "crash" | "away";
    }
  /** A call hangs, its process loses the partition, and the call does its work much later all the same. */
  | {
      readonly kind: "late";
      readonly part: "writer" | "ledger" | "deadLetters" | "commit";
      readonly passing: number;
    };

/** Runs one process with its troubles. @returns what releases the calls that still hang. */
export async function liveWith(
  world: IngestionWorld,
  life: Life,
  troubles: readonly Trouble[],
): Promise<readonly (() => void)[]> {
  const releases: (() => void)[] = [];
  const commits: (() => void)[] = [];
  let isHanging: (hangs: true) => void = () => undefined;
  const hanging = new Promise<true>((resolve) => {
    isHanging = resolve;
  });
  const living = world.live({
    ...life,
    atStep: (_step, _range, count, assigned) => {
      for (const trouble of troubles) {
        if (trouble.kind !== "step" || trouble.nth !== count) continue;
        if (trouble.how === "crash") throw new Crash();
        assigned.end();
      }
    },
    prepare: ({ commitFailures, positionFailures }) => {
      const failuresOf: Readonly<Record<TroubledPart, FailuresOnCommand>> = {
        writer: world.writer.failures,
        part: world.writer.partFailures,
        probe: world.writer.probeFailures,
        ledger: world.ledger.failures,
        deadLetters: world.deadLetters.failures,
        storedReports: world.storedReports.failures,
        commit: commitFailures,
        position: positionFailures,
      };
      for (const trouble of troubles) {
        if (trouble.kind === "call") {
          const { part, moment, passing, how } = trouble;
          failuresOf[part].next(errorOf(how, part), moment, passing);
        } else if (trouble.kind === "late") {
          const held = failuresOf[trouble.part].hold(trouble.passing);
          (trouble.part === "commit" ? commits : releases).push(held.release);
          held.reached.then(() => isHanging(true));
        }
      }
    },
  });
  if ((await Promise.race([living, hanging])) === true) {
    // Another process takes the partition over; the hanging call is heard of no longer.
    world.log.assign();
    // A process waits for the answer to its commit, which the broker refuses by now.
    for (const release of commits) release();
    await living;
  }
  return releases;
}

/** A source repeats a commit by itself until its outcome is known, so only a death is seen of it. */
function errorOf(how: "crash" | "away", part: TroubledPart): Error {
  return how === "crash" || part === "commit"
    ? new Crash()
    : new WriteError("passes_with_time", 210, "away");
}
