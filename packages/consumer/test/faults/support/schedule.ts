import { killedAt, killedDuringInsert, stoppedAt } from "../kinds/consumer-faults.js";
import { consumerAdded, consumerRemoved, rejoined, zombie } from "../kinds/group-faults.js";
import {
  insertAnsweredLate,
  insertAnswerLost,
  insertCutBefore,
  insertCutInAnswer,
  insertCutWithin,
  insertLost,
  refusedByChance,
  refusedFor,
  refusedThoughDone,
} from "../kinds/insert-faults.js";
import { committedOffsetSetBack, lowWatermarkMoved } from "../kinds/log-faults.js";
import { connectionsReset, packetsLost, replacedWhileCutOff } from "../kinds/network-faults.js";
import {
  clickHouseKilled,
  clickHousePaused,
  clickHouseStopped,
  kafkaKilled,
  kafkaPaused,
  kafkaStopped,
  leaderMoved,
} from "../kinds/service-faults.js";
import type { Fault, FaultMaker } from "./fault.js";
import { createRandom } from "./random.js";

/** Faults that disturb nobody but the schedule's own group. */
const OWN_FAULTS: readonly FaultMaker[] = [
  killedAt("cut"),
  killedAt("intent_committed"),
  killedAt("set_aside"),
  killedAt("inserted"),
  killedAt("ledger_written"),
  killedAt("committed"),
  killedDuringInsert,
  stoppedAt,
  rejoined,
  zombie,
  consumerAdded,
  consumerRemoved,
  committedOffsetSetBack,
  lowWatermarkMoved,
  insertAnsweredLate,
  insertLost,
  insertAnswerLost,
  insertCutBefore,
  insertCutWithin,
  insertCutInAnswer,
  refusedFor("passes_with_time"),
  refusedFor("misconfigured"),
  refusedFor("bad_record"),
  refusedByChance,
  refusedThoughDone,
  connectionsReset("Kafka"),
  packetsLost("Kafka"),
  replacedWhileCutOff,
  connectionsReset("ClickHouse"),
  packetsLost("ClickHouse"),
];

/** Faults of Kafka or ClickHouse itself. */
const SERVICE_FAULTS: readonly FaultMaker[] = [
  leaderMoved,
  kafkaStopped,
  kafkaPaused,
  kafkaKilled,
  clickHouseStopped,
  clickHousePaused,
  clickHouseKilled,
];

/** Everything about a run that the seed decides. What it does not decide is time. */
export interface Schedule {
  readonly seed: number;
  readonly partitions: number;
  readonly consumers: number;
  readonly badShare: number;
  readonly againShare: number;
  readonly faults: readonly Fault[];
  /** What the faults were made by. */
  readonly kinds: readonly FaultMaker[];
  /** Needs a Kafka and a ClickHouse that it may break. */
  readonly breaksServices: boolean;
  /** Whether ClickHouse merges parts meanwhile: with tables as small as a schedule's, that takes as much of a processor as inserts do. */
  readonly merges: boolean;
}

/** Schedules of a round that disturb nobody but themselves: three or four faults each, since starting and comparing cost as much as two faults. */
const OWN_SCHEDULES = 23;
/** Seeds of one round: as many consecutive schedules as hold every fault {@link TIMES} times. */
export const ROUND = OWN_SCHEDULES + SERVICE_FAULTS.length;
/** Times that a round has each fault. */
export const TIMES = 3;
/** Of the schedules, so many have ClickHouse merge parts. */
const MERGING_SHARE = 0.2;

/**
 * Makes the schedule of a seed. The seeds from a multiple of ROUND on make a round: three orders of all faults, dealt out to its schedules,
 * so that the round has each fault three times, in company that differs by round.
 */
export function createSchedule(seed: number): Schedule {
  const place = seed % ROUND;
  const breaksServices = place >= OWN_SCHEDULES;
  const ofRound = createRandom(seed - place);
  const ordersOf = (faults: readonly FaultMaker[]) =>
    Array.from({ length: TIMES }, () => ofRound.shuffle(faults)).flat();
  const own = ordersOf(OWN_FAULTS);
  const service = ordersOf(SERVICE_FAULTS);
  const makers = breaksServices
    ? dealt(SERVICE_FAULTS.length, service, place - OWN_SCHEDULES)
    : dealt(OWN_SCHEDULES, own, place);
  const random = createRandom(seed);
  // Services break while consumers do.
  const besides = breaksServices ? [random.pick(OWN_FAULTS)] : [];
  const kinds = random.shuffle([...makers, ...besides]);
  return {
    seed,
    partitions: random.integer(2, 4),
    consumers: random.integer(1, 2),
    badShare: random.pick([0.02, 0.1]),
    againShare: random.pick([0.02, 0.1]),
    faults: kinds.map((make) => make(random)),
    kinds,
    breaksServices,
    merges: random.chance(MERGING_SHARE),
  };
}

/** What one of so many gets when all is dealt out in turn. @param place which one, from 0. */
function dealt<T>(count: number, all: readonly T[], place: number): readonly T[] {
  return all.filter((_, index) => index % count === place);
}

/** How often each fault is in a round, the rarest first, of the schedules that break services or of the others. */
export function timesInRound(round: number, breaksServices: boolean): readonly number[] {
  const made = Array.from({ length: ROUND }, (_, place) => createSchedule(round * ROUND + place))
    .filter((schedule) => schedule.breaksServices === breaksServices)
    .flatMap(({ kinds }) => kinds);
  const all = breaksServices ? SERVICE_FAULTS : OWN_FAULTS;
  return all.map((kind) => made.filter((maker) => maker === kind).length).toSorted((a, b) => a - b);
}

/** A schedule as the title of its test. */
export function titleOf({ seed, faults }: Schedule): string {
  return `seed ${seed}: ${faults.map(({ title }) => title).join("; ")}`;
}
