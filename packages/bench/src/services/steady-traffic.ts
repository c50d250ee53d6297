import { setTimeout as delay } from "node:timers/promises";
import type { KafkaEndpoint } from "@push-reports/test-support";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import type { Population } from "../load/sdk-reports.js";
import { messageOf } from "./backlog.js";

/** How many records come, and where to. */
export interface TrafficOptions {
  readonly perSecond: number;
  /** All of them get as many. */
  readonly partitions: number;
  readonly population: Population;
}

const SEND_EVERY_MS = 50;

/** Records that come at a steady rate until it is stopped; what a late send left out comes with the next. */
export class SteadyTraffic {
  readonly #sending: Promise<number>;
  #isOver = false;

  private constructor(send: (isOver: () => boolean) => Promise<number>) {
    this.#sending = send(() => this.#isOver);
    // It is told by stop().
    this.#sending.catch(() => undefined);
  }

  /** @throws kafkajs' error when Kafka cannot be reached. */
  static async begin(
    { brokers }: KafkaEndpoint,
    topic: string,
    { perSecond, partitions, population }: TrafficOptions,
  ): Promise<SteadyTraffic> {
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    return new SteadyTraffic(async (isOver) => {
      const begunAt = performance.now();
      let sent = 0;
      try {
        while (!isOver()) {
          const due = Math.floor(((performance.now() - begunAt) * perSecond) / 1_000);
          const messages = Array.from({ length: due - sent }, (_, index) => ({
            ...messageOf(sent + index, population),
            partition: (sent + index) % partitions,
          }));
          if (messages.length > 0) await producer.send({ topic, acks: -1, messages });
          sent = due;
          await delay(SEND_EVERY_MS);
        }
        return sent;
      } finally {
        await producer.disconnect();
      }
    });
  }

  /** @returns how many records came. @throws kafkajs' error when one could not be sent. */
  async stop(): Promise<number> {
    this.#isOver = true;
    return await this.#sending;
  }
}
