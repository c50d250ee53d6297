import { randomUUID } from "node:crypto";
import type { Clock } from "@push-reports/service-kit";
import type { AskedDatabase, ClickHouseStatements } from "./clickhouse-statements.js";
import { repeatPassing } from "./repeat-passing.js";
import { WriteError } from "./report-writer.js";

/** What a claim is made with. */
export interface ClaimParts extends AskedDatabase {
  readonly clock: Clock;
}

/** A claim that is held. */
export interface CommandClaim {
  /** Resolves when nobody else has been at work since the claim was made, and keeps the others away for {@link CLAIM_SECS} from now. @throws ClaimError; WriteError */
  renew(): Promise<void>;
}

/** Another run is at work, or has been since the claim was made. */
class ClaimError extends Error {
  override readonly name = "ClaimError";
  readonly code = "claimed";
}

/**
 * A claim that was not repeated for so long is void, s: its run has died. Longer than {@link CLAIMED_INSERT_SECS} and what ends it too late, and than any
 * statement is under way to the database. Where the database is at one of the run's, the claim holds on.
 */
const CLAIM_SECS = 90;
/** After this time the database ends by itself an insert that a claim was renewed for, s: one that a dead run has left behind included. */
export const CLAIMED_INSERT_SECS = 60;
const REPEAT_MS = 20_000;

type State = "asks" | "works" | "is over";

/** One run, as its rows say. */
interface Claim {
  readonly holder: string;
  readonly command: string;
  readonly since: string;
  readonly until: string;
  readonly is_live: 0 | 1;
  readonly has_worked: 0 | 1;
  /** It worked within the last day and did not say that it is over. */
  readonly may_have_died: 0 | 1;
  /** It was void for a while. */
  readonly has_lapsed: 0 | 1;
}

/**
 * Runs `work` while no other claimed work runs on the same tables. Whoever claims says so first and looks around afterwards: of two at the same
 * moment at least one sees the other and gives way, and no two go on. What dies without a word, or with a statement of unknown outcome, keeps the others away for
 * {@link CLAIM_SECS}, and then for as long as the database is at a statement of it: what it writes late would bring back what a successor removes.
 * @param work is given the statements that it must write with.
 * @throws ClaimError when another run is at work; WriteError
 */
export async function withClaim<T>(
  command: string,
  { statements, database, clock }: ClaimParts,
  work: (claim: CommandClaim, statements: ClickHouseStatements) => Promise<T>,
): Promise<T> {
  const holder = randomUUID();
  const say = async (state: State) => {
    const line = JSON.stringify({ holder, command, state });
    const token = randomUUID();
    // On a cluster two inserts into a table are in each other's way, also those of one run.
    const insert = () => statements.insert("command_claims", token, Buffer.from(`${line}\n`));
    await repeatPassing(insert, clock);
  };
  const ended = new AbortController();
  let isUnknown = false;
  try {
    await say("asks");
    const claims = await claimsOf(statements, database);
    refuseLive(holder, claims);
    await refuseRunning(holder, claims, statements);
    await say("works");
    const repeating = repeat(() => say("works"), clock, ended.signal);
    const renew = async () => {
      await say("works");
      refuseSuccessor(holder, await claimsOf(statements, database));
    };
    try {
      return await work({ renew }, statements.bearing(wordOf(holder)));
    } finally {
      ended.abort();
      await repeating;
    }
  } catch (error) {
    isUnknown = error instanceof WriteError && error.failure === "passes_with_time";
    throw error;
  } finally {
    // What the database may still be at keeps the others away, and where the end cannot be said: the claim ends with its time.
    if (!isUnknown) await say("is over").catch(() => undefined);
  }
}

/** Says again and again that the run is at work, however long a single step takes. A failure is made good by the next time. */
async function repeat(say: () => Promise<void>, clock: Clock, ended: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(REPEAT_MS, ended);
    if (ended.aborted) return;
    await say().catch(() => undefined);
  }
}

async function claimsOf(
  statements: ClickHouseStatements,
  database: string,
): Promise<readonly Claim[]> {
  return await statements.select<Claim>(
    `SELECT toString(holder) AS holder, any(command) AS command,
       toString(min(said_at)) AS since, toString(max(said_at) + INTERVAL ${CLAIM_SECS} SECOND) AS until,
       toUInt8(max(state) != 'is over' AND max(said_at) + INTERVAL ${CLAIM_SECS} SECOND > now64(3, 'UTC')) AS is_live,
       toUInt8(countIf(state = 'works') > 0) AS has_worked,
       toUInt8(has_worked AND max(state) != 'is over' AND max(said_at) > now64(3, 'UTC') - INTERVAL 1 DAY) AS may_have_died,
       toUInt8(arrayMax(arrayDifference(arraySort(groupArray(toUnixTimestamp64Milli(said_at))))) > ${CLAIM_SECS * 1_000}) AS has_lapsed
     FROM ${database}.command_claims WHERE said_at > now() - INTERVAL 30 DAY GROUP BY holder`,
    {},
  );
}

/** Of a run that begins. */
function refuseLive(holder: string, claims: readonly Claim[]): void {
  const live = claims.find((claim) => claim.holder !== holder && claim.is_live === 1);
  if (live === undefined) return;
  throw new ClaimError(
    `Another ${live.command} is at work since ${live.since} UTC: run one at a time. If it was killed, this one may run after ${live.until} UTC`,
  );
}

/** Of a run that begins: no statement of a command may take as long as a day. */
async function refuseRunning(
  holder: string,
  claims: readonly Claim[],
  statements: ClickHouseStatements,
): Promise<void> {
  const dead = claims.filter(
    ({ holder: other, may_have_died }) => other !== holder && may_have_died === 1,
  );
  if (dead.length === 0) return;
  const running = await statements.wordsOfRunning(dead.map((claim) => wordOf(claim.holder)));
  const atWork = dead.find((claim) => running.has(wordOf(claim.holder)));
  if (atWork === undefined) return;
  throw new ClaimError(
    `The database is still at a statement of another ${atWork.command}, at work since ${atWork.since} UTC: this one may run once that has ended, see log_comment '${wordOf(atWork.holder)}' in the Settings of system.processes`,
  );
}

/** What the statements of a run bear. */
function wordOf(holder: string): string {
  return `push-reports command ${holder}`;
}

/** Of a run that goes on: as long as its claim was never void, whoever asked has given way. */
function refuseSuccessor(holder: string, claims: readonly Claim[]): void {
  const own = claims.find((claim) => claim.holder === holder);
  if (own === undefined || own.has_lapsed === 0) return;
  const successor = claims.find(
    ({ holder: other, is_live, has_worked, since }) =>
      other !== holder && (is_live === 1 || (has_worked === 1 && since > own.since)),
  );
  if (successor === undefined) return;
  throw new ClaimError(
    `A ${successor.command} has run since ${successor.since} UTC, while this one stood still: run it again`,
  );
}
