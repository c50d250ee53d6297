import type { Clock } from "@push-reports/service-kit";
import type { Ledger } from "./ledger.js";
import type { PartitionPosition } from "./record-source.js";

/** Records of one partition that the log holds and no complete range covers: they become rows later, or again where their range is under way. */
export interface UnbookedStretch {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** What asking for them takes. */
export interface UnbookedParts {
  readonly ledger: Pick<Ledger, "endFrom">;
  /** Where the group and the log stand. @throws when the log cannot be asked. */
  readonly positions: () => Promise<ReadonlyMap<number, PartitionPosition>>;
  readonly clock: Clock;
  /** Is told when it has to wait. */
  readonly onWait: () => void;
}

const LOOK_EVERY_MS = 500;

/**
 * Waits until complete ranges cover everything that the log holds at the moment, so that nothing of it can become a row any more.
 * @param deadline Unix ms after which it only looks. @returns what is still not covered. @throws what `positions` throws; WriteError
 */
export async function untilBooked(
  parts: UnbookedParts,
  deadline: number,
): Promise<readonly UnbookedStretch[]> {
  let positions = await parts.positions();
  for (let looks = 0; ; looks += 1) {
    const unbooked = await unbookedOf(positions, parts.ledger);
    // What is covered stays so.
    const open = new Set(unbooked.map(({ partition }) => partition));
    positions = new Map([...positions].filter(([partition]) => open.has(partition)));
    if (unbooked.length === 0 || parts.clock.now() >= deadline) return unbooked;
    if (looks === 0) parts.onWait();
    await parts.clock.sleep(LOOK_EVERY_MS);
  }
}

async function unbookedOf(
  positions: ReadonlyMap<number, PartitionPosition>,
  ledger: Pick<Ledger, "endFrom">,
): Promise<readonly UnbookedStretch[]> {
  const unbooked: UnbookedStretch[] = [];
  for (const [partition, { committedOffset, lowWatermark, highWatermark }] of positions) {
    if (lowWatermark >= highWatermark) continue;
    const end = await ledger.endFrom(partition, committedOffset);
    const first = Math.max(end ?? committedOffset ?? 0, lowWatermark);
    if (first < highWatermark) unbooked.push({ partition, first, last: highWatermark - 1 });
  }
  return unbooked;
}
