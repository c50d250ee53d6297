import type { ClickHouseServer, KafkaCluster } from "@push-reports/test-support";
import type { Pipeline } from "../../support/pipeline.js";
import type { CommittedOffset } from "./commit-history.js";
import type { ConsumerGroup } from "./consumer-group.js";
import type { Load } from "./load.js";
import type { LogHistory } from "./log-history.js";

/** Services that a schedule may break. */
export interface BreakableServices {
  readonly kafka: KafkaCluster;
  readonly clickHouse: ClickHouseServer;
}

/** What the faults of a schedule act upon. */
export interface World {
  readonly partitions: number;
  readonly pipeline: Pipeline;
  readonly group: ConsumerGroup;
  readonly load: Load;
  readonly log: LogHistory;
  /** What a fault committed in the group's name. */
  readonly setBack: CommittedOffset[];
  /** Null where the services are shared with other tests. */
  readonly services: BreakableServices | null;
}
