import { setTimeout as delay } from "node:timers/promises";
import type { ClickHouseServer, KafkaCluster } from "@push-reports/test-support";
import type { FaultMaker } from "../support/fault.js";
import type { BreakableServices, World } from "../support/world.js";

/** One of the brokers, or both of them. */
const BROKERS: readonly (readonly number[])[] = [[0], [1], [0, 1]];

/** The leader of a partition moves to the other broker. */
export const leaderMoved: FaultMaker = (random) => ({
  title: "a partition's leader moved",
  strike: async (world) => {
    const { kafka } = servicesOf(world);
    const { topic, admin } = world.pipeline;
    const partition = random.integer(0, world.partitions - 1);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
    await kafka.moveLeader(topic, partition, found?.leader === 1 ? 1 : 0);
  },
});

export const kafkaPaused = brokersAway("paused", async (kafka, brokers, ms) => {
  await Promise.all(brokers.map((broker) => kafka.pause(broker)));
  await delay(ms);
  await Promise.all(brokers.map((broker) => kafka.unpause(broker)));
});

export const kafkaKilled = brokersAway("killed", async (kafka, brokers, ms) => {
  await Promise.all(brokers.map((broker) => kafka.kill(broker)));
  await delay(ms);
  await Promise.all(brokers.map((broker) => kafka.restart(broker)));
});

export const kafkaStopped = brokersAway("stopped", async (kafka, brokers, ms) => {
  for (const broker of brokers.toReversed()) await kafka.shutDown(broker);
  await delay(ms);
  await Promise.all(brokers.map((broker) => kafka.restart(broker)));
});

export const clickHousePaused = clickHouseAway("paused", async (clickHouse, ms) => {
  await clickHouse.pause();
  await delay(ms);
  await clickHouse.unpause();
});

export const clickHouseKilled = clickHouseAway("killed", async (clickHouse, ms) => {
  await clickHouse.kill();
  await delay(ms);
  await clickHouse.restart();
});

export const clickHouseStopped = clickHouseAway("stopped", async (clickHouse, ms) => {
  await clickHouse.shutDown();
  await delay(ms);
  await clickHouse.restart();
});

function brokersAway(
  what: string,
  breakAndMend: (kafka: KafkaCluster, brokers: readonly number[], ms: number) => Promise<void>,
): FaultMaker {
  return (random) => {
    const brokers = random.pick(BROKERS);
    const ms = random.integer(200, 3_000);
    return {
      title: `broker ${brokers.join(" and ")} ${what} for ${ms} ms`,
      strike: (world) => breakAndMend(servicesOf(world).kafka, brokers, ms),
    };
  };
}

function clickHouseAway(
  what: string,
  breakAndMend: (clickHouse: ClickHouseServer, ms: number) => Promise<void>,
): FaultMaker {
  return (random) => {
    const ms = random.integer(200, 3_000);
    return {
      title: `ClickHouse ${what} for ${ms} ms`,
      strike: (world) => breakAndMend(servicesOf(world).clickHouse, ms),
    };
  };
}

function servicesOf({ services }: World): BreakableServices {
  if (services === null) throw new Error("This fault needs services of the schedule's own");
  return services;
}
