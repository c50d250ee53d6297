import { throughLinks } from "./advertised-addresses.js";
import { ClickHouseProxy } from "./clickhouse-proxy.js";
import { type LinkTarget, NetworkLink } from "./network-link.js";
import type { PlannedAnswers } from "./planned-answers.js";

/** What a consumer reaches over the network. */
export type Peer = "Kafka" | "ClickHouse";

/** Where the paths of a consumer lead. */
export interface ConsumerNetworkOptions {
  /** `host:port` of each broker, which is what it advertises. */
  readonly brokers: readonly string[];
  readonly clickHouseUrl: string;
  readonly answers: PlannedAnswers;
}

/** The paths between one consumer process and the services, and the proxy that answers in ClickHouse's place. */
export class ConsumerNetwork {
  readonly proxy: ClickHouseProxy;
  readonly #links: Readonly<Record<Peer, readonly NetworkLink[]>>;

  private constructor(proxy: ClickHouseProxy, links: Readonly<Record<Peer, NetworkLink[]>>) {
    this.proxy = proxy;
    this.#links = links;
  }

  static async start(options: ConsumerNetworkOptions): Promise<ConsumerNetwork> {
    const proxy = await ClickHouseProxy.start(options.clickHouseUrl, options.answers);
    const toClickHouse = await NetworkLink.start(targetOf(new URL(proxy.url).host));
    const brokers = options.brokers.map(targetOf);
    const ports = new Map<LinkTarget, number>();
    const translation = throughLinks(brokers, (broker) => ports.get(broker));
    const toKafka: NetworkLink[] = [];
    for (const broker of brokers) {
      const link = await NetworkLink.start(broker, translation);
      ports.set(broker, link.port);
      toKafka.push(link);
    }
    return new ConsumerNetwork(proxy, { Kafka: toKafka, ClickHouse: [toClickHouse] });
  }

  /** Variables of a process that is to use it. */
  environment(): Readonly<Record<string, string>> {
    return {
      KAFKA_BROKERS: this.#links.Kafka.map(({ port }) => `127.0.0.1:${port}`).join(","),
      CLICKHOUSE_URL: this.#links.ClickHouse.map(({ port }) => `http://127.0.0.1:${port}`).join(),
    };
  }

  /** The paths to one of them. */
  to(peer: Peer): readonly NetworkLink[] {
    return this.#links[peer];
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const links = Object.values(this.#links).flat();
    await Promise.all(links.map((link) => link.close()));
    await this.proxy.close();
  }
}

function targetOf(address: string): LinkTarget {
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port) };
}
