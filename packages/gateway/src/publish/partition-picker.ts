import type { LedPartition } from "./topic-leaders.js";

/** A broker that failed a send is avoided for so long, ms, while others lead partitions too. */
const AVOID_MS = 3_000;
/** A send that has taken so long, ms, makes its broker one to avoid before it has failed. */
const OVERDUE_MS = 500;

/** A send under way, as the picker sees it. */
export interface PickedPartition extends LedPartition {
  readonly pickedAt: number;
}

/**
 * Picks the partition of each batch: round and round over those whose leader is there, no broker that has just failed, hangs, or is
 * sending another lane's batch to the same partition, as long as there is a better one.
 */
export class PartitionPicker {
  readonly #leaders: { readonly partitions: readonly LedPartition[] };
  readonly #now: () => number;
  readonly #sending = new Set<PickedPartition>();
  readonly #avoidUntil = new Map<number, number>();
  #next: number;

  /** @param first where the round begins; different for each process, so that they do not march in step. */
  constructor(
    leaders: { readonly partitions: readonly LedPartition[] },
    now: () => number,
    first: number,
  ) {
    this.#leaders = leaders;
    this.#now = now;
    this.#next = first;
  }

  /** Null while no partition has a leader. */
  pick(): PickedPartition | null {
    const { partitions } = this.#leaders;
    const now = this.#now();
    let best: LedPartition | null = null;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let step = 0; step < partitions.length && bestCost > 0; step += 1) {
      const candidate = partitions[(this.#next + step) % partitions.length];
      const cost = candidate === undefined ? Number.POSITIVE_INFINITY : this.#cost(candidate, now);
      if (candidate === undefined || cost >= bestCost) continue;
      best = candidate;
      bestCost = cost;
    }
    if (best === null) return null;
    this.#next = partitions.indexOf(best) + 1;
    const picked = { ...best, pickedAt: now };
    this.#sending.add(picked);
    return picked;
  }

  /** The send ended. */
  release(picked: PickedPartition, ended: "acknowledged" | "failed"): void {
    this.#sending.delete(picked);
    if (ended === "acknowledged") this.#avoidUntil.delete(picked.leader);
    else this.#avoidUntil.set(picked.leader, this.#now() + AVOID_MS);
  }

  #cost(candidate: LedPartition, now: number): number {
    let cost = (this.#avoidUntil.get(candidate.leader) ?? 0) > now ? 4 : 0;
    for (const other of this.#sending) {
      if (other.leader === candidate.leader && now - other.pickedAt > OVERDUE_MS) cost += 2;
      if (other.partition === candidate.partition) cost += 1;
    }
    return cost;
  }
}
