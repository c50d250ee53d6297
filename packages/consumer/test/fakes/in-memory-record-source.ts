import type { Clock } from "@push-reports/service-kit";
import type { AssignedPartition, LogEnds, RecordSource } from "../../src/record-source.js";
import type { InMemoryAssignedPartition } from "./in-memory-assigned-partition.js";
import type { InMemoryLog } from "./in-memory-log.js";

/** A process that owns all partitions of a topic; the latest one to start takes them over. */
export class InMemoryRecordSource implements RecordSource {
  readonly #logs: readonly InMemoryLog[];
  readonly #clock: Clock;
  readonly #capacityBytes: number;
  #assigned: readonly InMemoryAssignedPartition[] = [];
  #fail: (error: Error) => void = () => undefined;

  /** @param capacityBytes footprint of the records that may wait in each partition. */
  constructor(logs: readonly InMemoryLog[], clock: Clock, capacityBytes: number) {
    this.#logs = logs;
    this.#clock = clock;
    this.#capacityBytes = capacityBytes;
  }

  async start(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
    onJoined: (partitions: number) => void,
  ): Promise<void> {
    this.#fail = onFailed;
    const capacityBytes = this.#capacityBytes;
    this.#assigned = this.#logs.map((log) => log.assign({ capacityBytes }));
    onJoined(this.#assigned.length);
    for (const assigned of this.#assigned) onAssigned(assigned);
  }

  async stop(): Promise<void> {
    for (const assigned of this.#assigned) assigned.end();
  }

  async ends(): Promise<LogEnds> {
    return {
      partitions: this.#logs.length,
      highWatermarks: new Map(
        this.#logs.map(({ partition, highWatermark }) => [partition, highWatermark]),
      ),
    };
  }

  problem(): string | null {
    return null;
  }

  bufferedBytes(): number {
    return 0;
  }

  lastActivityAt(): number {
    return this.#clock.now();
  }

  /** As when the group's client crashes for good. */
  breakDown(error: Error): void {
    this.#fail(error);
  }
}
