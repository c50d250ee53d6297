import {
  COMMAND_OPTION_GROUPS,
  CONSUMER_OPTION_GROUPS,
  createConsumerMetrics,
  MIGRATE_OPTION_GROUPS,
} from "@push-reports/consumer";
import { createGatewayMetrics, GATEWAY_OPTION_GROUPS } from "@push-reports/gateway";
import { STANDALONE_OPTION_GROUPS } from "@push-reports/standalone";
import { Registry } from "prom-client";
import { configurationPage } from "./configuration-page.js";
import { metricsPage } from "./metrics-page.js";

/** Text of each generated page, by its path from the repository's folder. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return {
    "docs/configuration.md": configurationPage([
      {
        name: "gateway",
        about: "Takes reports over HTTP and makes them durable on Kafka.",
        groups: GATEWAY_OPTION_GROUPS,
      },
      {
        name: "consumer",
        about: "Turns the records of the topic into rows of ClickHouse.",
        groups: CONSUMER_OPTION_GROUPS,
      },
      {
        name: "migrate",
        about: "Brings the tables to the newest version, and ends.",
        groups: MIGRATE_OPTION_GROUPS,
      },
      {
        name: "verify and replay",
        about: "Compare what was read with what is stored; make rows of dead letters.",
        groups: COMMAND_OPTION_GROUPS,
      },
      {
        name: "standalone",
        about: "Gateway, log, consumer and database in one process: `npm start`.",
        groups: STANDALONE_OPTION_GROUPS,
      },
    ]),
    "docs/metrics.md": await metricsPage([
      { name: "gateway", registry: gatewayRegistry() },
      { name: "consumer", registry: consumerRegistry() },
    ]),
  };
}

function gatewayRegistry(): Registry {
  const registry = new Registry();
  createGatewayMetrics(registry).watchWaitingBytes(() => 0);
  return registry;
}

function consumerRegistry(): Registry {
  const registry = new Registry();
  createConsumerMetrics(registry);
  return registry;
}
