import { type ProducerIdentity, SendError } from "@push-reports/service-kit";
import type { Message } from "kafkajs";
import type { BatchProducer } from "../../src/lane.js";
import type { LedPartition } from "../../src/publish/topic-leaders.js";

/** What becomes of one send. All but `taken` and `slow` are rejected with an unknown outcome, but for `refused`, which never left. */
export type SendFate =
  | "taken"
  /** Arrives, and its acknowledgement when {@link InMemoryTopic.acknowledgeSlow} is called. */
  | "slow"
  | "refused"
  /** Never arrives. */
  | "lost"
  /** Arrives, and the acknowledgement does not. */
  | "unacknowledged"
  /** Arrives when {@link InMemoryTopic.deliverLate} is called. */
  | "late";

/** A batch as it arrives at a partition's leader. */
interface Batch {
  readonly partition: number;
  readonly identity: ProducerIdentity;
  readonly sequence: number;
  readonly messages: readonly Message[];
}

/** What a partition remembers of a producer. */
interface ProducerState {
  readonly epoch: number;
  readonly nextSequence: number;
  readonly batches: readonly { readonly first: number; readonly next: number }[];
}

const REMEMBERED_BATCHES = 5;

/** A topic that numbers batches, recognises repetitions and fences producers as Kafka does (shown in integration/producer-epochs). */
export class InMemoryTopic {
  readonly logs: readonly Message[][];
  /** Partitions without a leader. */
  readonly down = new Set<number>();
  readonly isKnown = true;
  /** What the user of this topic may no longer do. */
  forbidden: "connect" | "send" | null = null;
  /** Sends that a producer was asked for while another of its own was under way, which loses records. */
  overlaps = 0;
  /** The fates of the next sends; all others are taken. */
  fates: SendFate[] = [];
  readonly #states: readonly Map<string, ProducerState>[];
  #late: Batch[] = [];
  #slow: (() => void)[] = [];
  #producers = 0;

  constructor(partitions: number) {
    this.logs = Array.from({ length: partitions }, () => []);
    this.#states = Array.from({ length: partitions }, () => new Map());
  }

  /** Sends that wait for {@link acknowledgeSlow}. */
  get slowSends(): number {
    return this.#slow.length;
  }

  get partitionCount(): number {
    return this.logs.length;
  }

  get partitions(): readonly LedPartition[] {
    return this.logs
      .map((_log, partition) => ({ partition, leader: partition % 2 }))
      .filter(({ partition }) => !this.down.has(partition));
  }

  /** A producer as DurableProducer is one: under the identity given, or a new one for each connection. */
  producer(given?: ProducerIdentity): BatchProducer {
    let identity: ProducerIdentity | null = null;
    let sequences = new Map<number, number>();
    let isSending = false;
    const connect = () => {
      if (identity === null) {
        identity = given ?? { producerId: String(this.#producers++), epoch: 0 };
        sequences = new Map();
      }
      return identity;
    };
    return {
      connect: async () => {
        if (this.forbidden === "connect") throw noRight();
        return connect();
      },
      close: async () => undefined,
      send: async (partition, messages) => {
        if (isSending) this.overlaps += 1;
        isSending = true;
        const sequence = sequences.get(partition) ?? 0;
        const batch = { partition, identity: connect(), sequence, messages };
        const error = await this.#send(batch);
        isSending = false;
        sequences.set(partition, sequence + messages.length);
        if (error === null) return;
        identity = null;
        throw error;
      },
    };
  }

  /** What was under way for long arrives. */
  deliverLate(): void {
    const late = this.#late;
    this.#late = [];
    for (const batch of late) this.#arrive(batch);
  }

  acknowledgeSlow(): void {
    const slow = this.#slow;
    this.#slow = [];
    for (const acknowledge of slow) acknowledge();
  }

  async #send(batch: Batch): Promise<SendError | null> {
    if (this.forbidden === "send") return noRight();
    const fate = this.down.has(batch.partition) ? "lost" : (this.fates.shift() ?? "taken");
    if (fate === "refused") return new SendError("not_sent", "refused");
    if (fate === "late") this.#late.push(batch);
    const refusal = fate === "lost" || fate === "late" ? null : this.#arrive(batch);
    if (fate === "slow") await new Promise<void>((resolve) => this.#slow.push(resolve));
    if (refusal !== null) return new SendError(refusal, "refused by the leader");
    return fate === "slow" || fate === "taken" ? null : new SendError("unknown_outcome", fate);
  }

  #arrive({
    partition,
    identity: { producerId, epoch },
    sequence: first,
    messages,
  }: Batch): "fenced" | "unknown_outcome" | null {
    const states = this.#states[partition] ?? new Map<string, ProducerState>();
    const next = first + messages.length;
    const known = states.get(producerId) ?? { epoch, nextSequence: first, batches: [] };
    if (epoch < known.epoch) return "fenced";
    const state = epoch > known.epoch ? { epoch, nextSequence: 0, batches: [] } : known;
    if (state.batches.some((batch) => batch.first === first && batch.next === next)) return null;
    if (state.nextSequence !== first) return "unknown_outcome";
    this.logs[partition]?.push(...messages);
    const batches = [...state.batches, { first, next }].slice(-REMEMBERED_BATCHES);
    states.set(producerId, { epoch, nextSequence: next, batches });
    return null;
  }
}

const noRight = () => {
  const cause = Object.assign(new Error("refused"), { type: "TOPIC_AUTHORIZATION_FAILED" });
  return new SendError("not_sent", "The broker refuses", cause);
};
