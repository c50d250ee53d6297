import { atLeast, atMost, comparison, figure } from "../figures/figure.js";
import { spreadOf } from "../figures/spread.js";
import { USUAL_POPULATION } from "../load/sdk-reports.js";
import { produceBacklog } from "../services/backlog.js";
import type { Drain } from "../services/watch-drain.js";
import type { BenchCase } from "./bench-case.js";
import { discardWithKafkajs, drainWithConsumer, drainWithKafkaEngine } from "./drains.js";
import { PARTITIONS } from "./gateway-cases.js";

const BACKLOG = 2_000_000;
const MIB = 1024 * 1024;

/** The consumer against ClickHouse's own Kafka engine and against kafkajs that only reads. */
export const CONSUMER: BenchCase = {
  name: "consumer",
  title: "Consumer, from a backlog of 2 million records",
  needsContainers: true,
  run: async (lab, { rounds, say }) => {
    const kafka = await lab.kafka();
    const backlog = await produceBacklog(kafka, {
      records: BACKLOG,
      partitions: PARTITIONS,
      population: USUAL_POPULATION,
    });
    say(`${BACKLOG} records are in the topic`);
    const ours: Drain[] = [];
    const engine: Drain[] = [];
    const discarding: Drain[] = [];
    const turns = [
      { name: "consumer", drains: ours, drain: drainWithConsumer },
      { name: "Kafka engine", drains: engine, drain: drainWithKafkaEngine },
      { name: "kafkajs discarding", drains: discarding, drain: discardWithKafkajs },
    ];
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, drains, drain } of round % 2 === 0 ? turns : turns.toReversed()) {
        const result = await drain(lab, backlog);
        say(`${name}: ${drainLine(result)}`);
        drains.push(result);
      }
    }
    const rates = (drains: readonly Drain[]) => drains.map(({ perSecond }) => perSecond);
    const cpu = (drains: readonly Drain[], name: string) =>
      drains.map(({ cpuMicrosEach }) => cpuMicrosEach[name] ?? Number.NaN);
    return {
      figures: [
        comparison(
          "consumer: rows/s",
          "/s",
          rates(ours),
          { what: "ClickHouse's Kafka engine", runs: rates(engine) },
          atLeast(1.1),
        ),
        comparison(
          "consumer: rows/s",
          "/s",
          rates(ours),
          { what: "kafkajs discarding", runs: rates(discarding) },
          atLeast(0.6),
        ),
        comparison(
          "consumer: own CPU a row",
          "µs",
          cpu(ours, "consumer"),
          { what: "kafkajs discarding", runs: cpu(discarding, "kafkajs") },
          atMost(1.3),
        ),
        comparison("ClickHouse: CPU a row", "µs", cpu(ours, "clickHouse"), {
          what: "with its Kafka engine",
          runs: cpu(engine, "clickHouse"),
        }),
        figure(
          "consumer: most resident memory",
          "MiB",
          ours.map(({ peakBytes }) => (peakBytes["consumer"] ?? Number.NaN) / MIB),
          atMost(512),
        ),
      ],
      notes: [
        "Rates are between the first sight of rows and the sight of all of them; processor time is that of the whole process, its start included.",
        `From start to all rows, median of ${rounds}: consumer ${seconds(ours)}, Kafka engine ${seconds(engine)}.`,
        "The Kafka engine flushes every second, as the consumer does, and has its defaults otherwise. It does not know exactly once.",
      ],
    };
  },
};

/** One line about a drain, for whoever watches. */
export function drainLine({ perSecond, totalMs, cpuMicrosEach, peakBytes }: Drain): string {
  const cpu = Object.entries(cpuMicrosEach).map(([name, each]) => `${name} ${each.toFixed(2)} µs`);
  const memory = Object.entries(peakBytes).map(
    ([n, bytes]) => `${n} ${Math.round(bytes / MIB)} MiB`,
  );
  return `${perSecond.toFixed(0)}/s, ${(totalMs / 1_000).toFixed(1)} s in all; ${[...cpu, ...memory].join(", ")}`;
}

function seconds(drains: readonly Drain[]): string {
  const { median } = spreadOf(drains.map(({ totalMs }) => totalMs));
  return `${(median / 1_000).toFixed(1)} s`;
}
