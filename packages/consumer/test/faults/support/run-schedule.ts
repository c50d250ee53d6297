import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ClickHouseEndpoint, patiently, waitFor } from "@push-reports/test-support";
import { Pipeline } from "../../support/pipeline.js";
import { commitFaults } from "./commit-history.js";
import { committedBy } from "./commit-offsets.js";
import { ConsumerGroup } from "./consumer-group.js";
import { Load } from "./load.js";
import { LogHistory } from "./log-history.js";
import type { Mutant } from "./mutants.js";
import { faultsOf } from "./outcome.js";
import { createRandom, type Random } from "./random.js";
import { outcomeOf, placesInDeadLetterTopic, verificationFault } from "./read-outcome.js";
import { rollUpFaults } from "./roll-up-faults.js";
import type { Schedule } from "./schedule.js";
import type { BreakableServices, World } from "./world.js";

/** Where a schedule runs. */
export interface Setting {
  readonly brokers: readonly string[];
  readonly clickHouse: ClickHouseEndpoint;
  readonly services: BreakableServices | null;
  readonly mutant: Mutant | null;
}

/** Rows, dead letters, ledger or positions are not what the log demands, or a process misbehaved. */
export class ScheduleFailedError extends Error {
  override readonly name = "ScheduleFailedError";
  /** Whether what came out is wrong; else it did not come to its end, or a process misbehaved. */
  readonly isWrongOutcome: boolean;

  constructor(message: string, isWrongOutcome: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isWrongOutcome = isWrongOutcome;
  }
}

/** The consumer's mutant was to be tried and its code is not there. */
class MutantNotAppliedError extends Error {
  override readonly name = "MutantNotAppliedError";
}

/** How long a schedule may take on a machine that has much else to do, ms. */
export const DEADLINE_MS = patiently(240_000);
/** Time between two faults at most, ms. */
const MAX_PAUSE_MS = 500;
/** How long the group may commit nothing though nothing goes wrong any more, ms. */
const STANDSTILL_MS = patiently(60_000);
/** Differences that a failure names. */
const MAX_NAMED = 12;

const CONSUMER_LIMITS = {
  KAFKA_SESSION_TIMEOUT_MS: "1000",
  KAFKA_HEARTBEAT_INTERVAL_MS: "300",
  KAFKA_REBALANCE_TIMEOUT_MS: "3000",
  KAFKA_REQUEST_TIMEOUT_MS: "3000",
  KAFKA_MAX_FETCH_WAIT_MS: "250",
  MAX_DELAY_MS: "100",
  MAX_INSERTS_PER_SECOND: "4",
  INSERT_TIMEOUT_MS: "2000",
  // A consumer that stalls is to end and to be started anew well before the group counts as come to a stand; a zombie is none that stalls.
  STALL_TIMEOUT_MS: String(patiently(30_000)),
  // A rebalance may have to end before the group can be left.
  SHUTDOWN_TIMEOUT_MS: "10000",
};

/**
 * Runs a group under load, lets one fault after the other happen, and compares what came out with the topic, record by record.
 * @throws ScheduleFailedError with what is wrong and where the consumers' log is.
 */
export async function runSchedule(schedule: Schedule, setting: Setting): Promise<void> {
  const { seed, partitions, breaksServices } = schedule;
  const random = createRandom(seed + 1);
  const { brokers, clickHouse, services, mutant } = setting;
  const pipeline = await Pipeline.create(brokers, clickHouse, partitions, services ? 2 : 1);
  const { topic, admin, kafka } = pipeline;
  if (!schedule.merges) await pipeline.stopMerges();
  const environment = { ...pipeline.environment(), ...CONSUMER_LIMITS };
  const { url: clickHouseUrl } = clickHouse;
  const options = { environment, brokers, clickHouseUrl, mutant, restarts: breaksServices };
  const group = new ConsumerGroup(options, random);
  const load = new Load(kafka, { ...schedule, topic }, random);
  const log = new LogHistory(brokers, admin, topic);
  const world: World = { partitions, pipeline, group, load, log, setBack: [], services };
  try {
    await within(DEADLINE_MS, runIn(world, schedule, random));
    throwIfAny(group.failures, false);
    throwIfAny(await faultsIn(world, brokers), true);
  } catch (error) {
    throw explained(error, schedule, world, mutant);
  } finally {
    await group.dispose();
    await load.abandon();
    await pipeline.close();
  }
}

/** From the first record to the orderly stop of every consumer. */
async function runIn(world: World, schedule: Schedule, random: Random): Promise<void> {
  const { group, load } = world;
  await load.start();
  for (let started = 0; started < schedule.consumers; started += 1) await group.start();
  for (const fault of schedule.faults) {
    load.surge();
    await fault.strike(world);
    await delay(random.integer(0, MAX_PAUSE_MS));
  }
  await load.stop();
  await untilComplete(world);
  await group.stopAll();
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = delay(ms, undefined, ended).then(() => {
    throw new Error(`It was not over after ${ms} ms`);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    ended.abort();
    // What is given up fails soon, since its processes are gone; nobody is to hear of it.
    work.catch(() => undefined);
    late.catch(() => undefined);
  }
}

/** Waits until the group has committed the end of every partition, and nothing is under way. */
async function untilComplete({ pipeline, group }: World): Promise<void> {
  let left = Number.POSITIVE_INFINITY;
  let leftSince = Date.now();
  for (;;) {
    if (group.failures.length > 0) return;
    // A leader that has just been elected does not answer yet.
    const ends = await waitFor(() => pipeline.admin.fetchTopicOffsets(pipeline.topic), {
      what: "the partitions' leaders to answer",
      timeoutMs: 20_000,
    });
    const commits = new Map(
      (await committedBy(pipeline)).map((commit) => [commit.partition, commit]),
    );
    const open = ends.filter(({ partition, high }) => {
      const commit = commits.get(partition);
      return commit?.offset !== high || commit.metadata !== "";
    });
    if (open.length === 0) return;
    const nowLeft = open.reduce(
      (sum, { partition, high }) => sum + Number(high) - Number(commits.get(partition)?.offset),
      0,
    );
    if (nowLeft < left) leftSince = Date.now();
    left = nowLeft;
    if (Date.now() - leftSince > STANDSTILL_MS)
      throw new Error(
        `The group came to a stand: ends ${JSON.stringify(ends)}, commits ${JSON.stringify([...commits.values()])}\n${await group.state()}`,
      );
    await delay(200);
  }
}

async function faultsIn(world: World, brokers: readonly string[]): Promise<readonly string[]> {
  const outcome = await outcomeOf(world);
  const inTopic = await placesInDeadLetterTopic(brokers, world.pipeline);
  const missing = [...outcome.deadLetters.keys()].filter((place) => !inTopic.has(place));
  const verification = await verificationFault(world.pipeline);
  const commits = await commitFaults(brokers, world.pipeline, world.setBack);
  return [
    ...faultsOf(outcome),
    ...missing.map((place) => `${place} was set aside and is not in the dead-letter topic`),
    ...(verification === null ? [] : [verification]),
    ...commits,
    ...(await rollUpFaults(world.pipeline)),
  ];
}

function throwIfAny(faults: readonly string[], isWrongOutcome: boolean): void {
  if (faults.length === 0) return;
  const more = faults.length > MAX_NAMED ? [`and ${faults.length - MAX_NAMED} more`] : [];
  const text = [...faults.slice(0, MAX_NAMED), ...more].join("\n  ");
  throw new ScheduleFailedError(text, isWrongOutcome);
}

function isApplied({ name }: Mutant, { appliedMutants }: ConsumerGroup): boolean {
  return appliedMutants.size === 1 && appliedMutants.has(name);
}

function explained(
  error: unknown,
  schedule: Schedule,
  { group }: World,
  mutant: Mutant | null,
): Error {
  const file = join(mkdtempSync(join(tmpdir(), "push-reports-faults-")), "consumers.log");
  writeFileSync(file, group.log);
  if (mutant !== null && !isApplied(mutant, group))
    return new MutantNotAppliedError(`The consumers ran without the mutant; see ${file}`);
  const message = error instanceof Error ? error.message : String(error);
  return new ScheduleFailedError(
    `${message}\nReplay: npm run test:faults -- --seed ${schedule.seed}\nWhat the consumers wrote: ${file}`,
    error instanceof ScheduleFailedError && error.isWrongOutcome,
    { cause: error },
  );
}
