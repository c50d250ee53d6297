import { type ProducerIdentity, SendError } from "@push-reports/service-kit";
import type { Message } from "kafkajs";
import type { BatchProducer } from "../../src/lane.js";

/** One send and how to end it. */
export interface ScriptedSend {
  /** Number of the producer, from 0, and what it was connected as. */
  readonly producer: number;
  readonly identity: ProducerIdentity;
  readonly partition: number;
  /** The messages' values. */
  readonly values: readonly string[];
  acknowledge(): void;
  reject(error: Error): void;
}

/**
 * Producers whose sends end as a test says. As DurableProducer does, each connects anew, as somebody else, after a rejected send.
 */
export class ScriptedProducers {
  readonly sends: ScriptedSend[] = [];
  /** Numbers of the producers that were closed, in order. */
  readonly closed: number[] = [];
  made = 0;
  connections = 0;
  /** What a connect comes to: it succeeds, fails, or never ends. */
  connecting: "succeeds" | "fails" | "hangs" = "succeeds";
  /** Whether every send is acknowledged at once. */
  isPrompt = false;

  readonly create = (): BatchProducer => {
    const producer = this.made;
    this.made += 1;
    let identity: ProducerIdentity | null = null;
    const connect = async () => {
      identity ??= await this.#connect();
      return identity;
    };
    return {
      connect,
      send: async (partition, messages) => {
        const sentAs = await connect();
        await this.#send(producer, sentAs, partition, messages).catch((error: unknown) => {
          identity = null;
          throw error;
        });
      },
      close: async () => void this.closed.push(producer),
    };
  };

  /** The last send. */
  get last(): ScriptedSend {
    const last = this.sends.at(-1);
    if (last === undefined) throw new Error("Nothing was sent");
    return last;
  }

  async #connect(): Promise<ProducerIdentity> {
    if (this.connecting === "fails") throw new SendError("not_sent", "No broker is there");
    if (this.connecting === "hangs") return await new Promise<never>(() => undefined);
    this.connections += 1;
    return { producerId: String(1_000 + this.connections), epoch: 0 };
  }

  #send(
    producer: number,
    identity: ProducerIdentity,
    partition: number,
    messages: readonly Message[],
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const values = messages.map(({ value }) => String(value));
      this.sends.push({ producer, identity, partition, values, acknowledge: resolve, reject });
      if (this.isPrompt) resolve();
    });
  }
}
