import { freePort, HoldingProxy, type KafkaCluster, startKafka } from "@push-reports/test-support";

/** One broker that clients reach over a network which can deliver late. */
export interface LateKafka {
  readonly cluster: KafkaCluster;
  /** The way there; `cluster.brokers` leads past it, but for what a client learns from the broker itself. */
  readonly proxy: HoldingProxy;
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

/** Starts one. */
export async function startLateKafka(): Promise<LateKafka> {
  const port = await freePort();
  const cluster = await startKafka({
    environment: {
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port},INTERNAL://kafka-1:9094`,
    },
  });
  const proxy = await HoldingProxy.listen(port, Number(cluster.brokers[0]?.split(":")[1]));
  return {
    cluster,
    proxy,
    brokers: [`127.0.0.1:${port}`],
    stop: async () => {
      await proxy.close();
      await cluster.stop();
    },
  };
}
