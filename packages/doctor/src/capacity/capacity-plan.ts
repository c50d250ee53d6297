import type { MeasuredCosts } from "./measured-costs.js";

/** What a deployment has to carry, and for how long it has to keep it. */
export interface CapacityWish {
  readonly reportsPerDay: number;
  /** The busiest minutes against the average. */
  readonly peak: number;
  /** An outage of ClickHouse, or of Kafka where gateways have a disk, that nothing may be lost in. */
  readonly outageHours: number;
  /** Retention of the topic. */
  readonly topicDays: number;
  /** RETENTION_MONTHS. */
  readonly tableMonths: number;
  readonly brokerReplicas: number;
  readonly tableReplicas: number;
}

/** What is usual where nothing else is wished for. */
export const USUAL_WISH: Omit<CapacityWish, "reportsPerDay" | "peak"> = {
  outageHours: 2,
  topicDays: 7,
  tableMonths: 13,
  brokerReplicas: 3,
  tableReplicas: 3,
};

/** One quantity of a plan. */
export interface Quantity {
  readonly name: string;
  readonly value: number;
  readonly unit: "reports/s" | "processes" | "partitions" | "cores" | "bytes" | "bytes/s";
  /** How it is computed, in words. */
  readonly formula: string;
}

/** Shares that a process, a disk or a core may be used to, so that one may fail and the night's sleep goes on. */
const GATEWAY_SHARE = 0.7;
const CONSUMER_SHARE = 0.5;
const CLICKHOUSE_SHARE = 0.5;
const BROKER_DISK_SHARE = 0.5;
const TABLE_DISK_SHARE = 0.7;
const FEWEST_GATEWAYS = 3;
const FEWEST_CONSUMERS = 2;
/** Partitions come in dozens: divisible by 2, 3, 4, 6 and 12 consumers. */
const DOZEN = 12;
const GIB = 1024 ** 3;
/** Limits of memory in k8s/base/services. */
const GATEWAY_MEMORY = 0.5 * GIB;
const CONSUMER_MEMORY = GIB;
const DAYS_OF_A_MONTH = 30.4;
const SECONDS_OF_A_DAY = 86_400;

/** What a wish needs. Pure: the same wish and costs give the same plan. */
export class CapacityPlan {
  readonly wish: CapacityWish;
  readonly costs: MeasuredCosts;

  constructor(wish: CapacityWish, costs: MeasuredCosts) {
    this.wish = wish;
    this.costs = costs;
  }

  get averagePerSecond(): number {
    return this.wish.reportsPerDay / SECONDS_OF_A_DAY;
  }

  get peakPerSecond(): number {
    return this.averagePerSecond * this.wish.peak;
  }

  get gateways(): number {
    const busy = this.peakPerSecond / (this.costs.gatewayPerSecond * GATEWAY_SHARE);
    return Math.max(FEWEST_GATEWAYS, Math.ceil(busy) + 1);
  }

  get consumers(): number {
    // After an outage the lag goes as fast as it came, while new reports come on average.
    const needed = Math.max(this.peakPerSecond, 2 * this.averagePerSecond);
    const busy = needed / (this.costs.consumerPerSecond * CONSUMER_SHARE);
    return Math.max(FEWEST_CONSUMERS, Math.ceil(busy) + 1);
  }

  /** Rows/s that are made when there is lag: by the planned consumers, or by all of the planned ClickHouse where that is less. */
  get consumedPerSecond(): number {
    const byConsumers = this.consumers * this.costs.consumerPerSecond * CONSUMER_SHARE;
    return Math.min(byConsumers, this.peakPerSecond / CLICKHOUSE_SHARE);
  }

  get partitions(): number {
    return DOZEN * Math.ceil((2 * this.consumers) / DOZEN);
  }

  /** Every quantity, with its formula. */
  get quantities(): readonly Quantity[] {
    const { wish, costs, averagePerSecond, peakPerSecond } = this;
    const percent = (share: number) => `${share * 100} %`;
    const cores = (perSecond: number, micros: number) => (perSecond * micros) / 1e6;
    const brokerDisk =
      (wish.reportsPerDay * costs.recordBytes * wish.topicDays * wish.brokerReplicas) /
      BROKER_DISK_SHARE;
    const tableDays = wish.tableMonths * DAYS_OF_A_MONTH;
    const tableDisk =
      (wish.reportsPerDay * costs.rowBytes * tableDays * wish.tableReplicas) / TABLE_DISK_SHARE;
    return [
      of("reports/s on average", averagePerSecond, "reports/s", "reports a day ÷ 86,400"),
      of("reports/s at the peak", peakPerSecond, "reports/s", "average × peak"),
      of(
        "gateways",
        this.gateways,
        "processes",
        `peak ÷ (${group(costs.gatewayPerSecond)}/s × ${percent(GATEWAY_SHARE)}) + 1 that may be away, ${FEWEST_GATEWAYS} at least`,
      ),
      of(
        "processor of all gateways at the peak",
        cores(peakPerSecond, costs.gatewayMicros),
        "cores",
        `peak × ${costs.gatewayMicros} µs`,
      ),
      of("memory of all gateways", this.gateways * GATEWAY_MEMORY, "bytes", "gateways × 512 MiB"),
      of(
        "disk of each gateway's spill, where they have one",
        2 * (peakPerSecond / this.gateways) * costs.spilledBytes * wish.outageHours * 3_600,
        "bytes",
        `peak ÷ gateways × ${costs.spilledBytes} bytes × outage × 2 (files may take twice as much)`,
      ),
      of(
        "consumers",
        this.consumers,
        "processes",
        `max(peak, 2 × average) ÷ (${group(costs.consumerPerSecond)}/s × ${percent(CONSUMER_SHARE)}) + 1 that may be away, ${FEWEST_CONSUMERS} at least`,
      ),
      of(
        "processor of all consumers at the peak",
        cores(peakPerSecond, costs.consumerMicros),
        "cores",
        `peak × ${costs.consumerMicros} µs`,
      ),
      of("memory of all consumers", this.consumers * CONSUMER_MEMORY, "bytes", "consumers × 1 GiB"),
      of(
        "partitions",
        this.partitions,
        "partitions",
        "2 × consumers, so that these may double, in dozens",
      ),
      of(
        "network into Kafka at the peak",
        peakPerSecond * costs.recordBytes * wish.brokerReplicas,
        "bytes/s",
        `peak × ${costs.recordBytes} bytes × ${wish.brokerReplicas} replicas`,
      ),
      of(
        "disk of Kafka",
        brokerDisk,
        "bytes",
        `reports a day × ${costs.recordBytes} bytes × ${wish.topicDays} days × ${wish.brokerReplicas} replicas ÷ ${percent(BROKER_DISK_SHARE)}: the retention can be doubled in need`,
      ),
      of(
        "processor of one ClickHouse replica at the peak",
        cores(peakPerSecond, costs.clickHouseMicros) / CLICKHOUSE_SHARE,
        "cores",
        `peak × ${costs.clickHouseMicros} µs ÷ ${percent(CLICKHOUSE_SHARE)}: the rest is for merges and questions`,
      ),
      of(
        "disk of ClickHouse",
        tableDisk,
        "bytes",
        `reports a day × ${costs.rowBytes} bytes × ${wish.tableMonths} months × ${wish.tableReplicas} replicas ÷ ${percent(TABLE_DISK_SHARE)}`,
      ),
    ];
  }

  /** What the money goes to, the largest first: the share of each in all disks. */
  get diskShares(): readonly { readonly name: string; readonly share: number }[] {
    const disks = this.quantities.filter(
      ({ name }) => name.startsWith("disk of") && !name.includes("each"),
    );
    const all = disks.reduce((sum, { value }) => sum + value, 0);
    return disks
      .map(({ name, value }) => ({ name, share: value / all }))
      .toSorted((a, b) => b.share - a.share);
  }
}

const of = (name: string, value: number, unit: Quantity["unit"], formula: string): Quantity => ({
  name,
  value,
  unit,
  formula,
});

const group = (n: number) => n.toLocaleString("en-US");
