/** What the work of one report costs, and what one process can do. */
export interface MeasuredCosts {
  /** Reports/s that one gateway process makes durable at the most. */
  readonly gatewayPerSecond: number;
  /** Processor time of the gateway for one report, µs. */
  readonly gatewayMicros: number;
  /** Rows/s that one consumer process makes from a backlog at the most, with ClickHouse beside it on the same two cores. */
  readonly consumerPerSecond: number;
  /** Processor time of the consumer for one row, µs. */
  readonly consumerMicros: number;
  /** Processor time of ClickHouse for one row with all tables and views, µs. */
  readonly clickHouseMicros: number;
  /** Bytes of one record on a broker's disk, uncompressed. */
  readonly recordBytes: number;
  /** Bytes of one report in the tables on one replica's disk, after merges. */
  readonly rowBytes: number;
  /** Bytes of one report in a spill. */
  readonly spilledBytes: number;
}

/** Where a figure is from, in docs/performance.json: name of the case, and of the figure within it. */
export type BenchFigure = readonly [benchCase: string, figure: string];

/** Those costs that `npm run bench` measures. A test holds them against what it wrote last: noise is large, a factor of two is none. */
export const BENCH_FIGURES: Readonly<Partial<Record<keyof MeasuredCosts, BenchFigure>>> = {
  gatewayPerSecond: ["gateway-bare", "gateway: durable reports/s"],
  gatewayMicros: ["gateway-bare", "gateway: CPU per durable report"],
  consumerPerSecond: ["consumer", "consumer: rows/s"],
  consumerMicros: ["consumer", "consumer: own CPU a row"],
  clickHouseMicros: ["consumer", "ClickHouse: CPU a row"],
};

/** Measured on two cores, load generator, broker and database beside the services: what a machine of its own does is more. */
export const MEASURED_COSTS: MeasuredCosts = {
  gatewayPerSecond: 8_000,
  gatewayMicros: 118,
  consumerPerSecond: 53_000,
  consumerMicros: 9,
  clickHouseMicros: 21,
  recordBytes: 464,
  rowBytes: 63,
  spilledBytes: 700,
};
