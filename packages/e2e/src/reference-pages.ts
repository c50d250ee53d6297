import { fileURLToPath } from "node:url";
import { CANARY_OPTION_GROUPS } from "@push-reports/canary";
import {
  ANALYST_COMMAND_OPTION_GROUPS,
  COMMAND_OPTION_GROUPS,
  CONSUMER_OPTION_GROUPS,
  MIGRATE_OPTION_GROUPS,
} from "@push-reports/consumer";
import { DOCTOR_OPTION_GROUPS } from "@push-reports/doctor";
import {
  DRAIN_OPTION_GROUPS,
  ERROR_RESPONSES,
  GATEWAY_OPTION_GROUPS,
  OPENAPI,
} from "@push-reports/gateway";
import { INSIGHTS_OPTION_GROUPS } from "@push-reports/insights";
import { STANDALONE_OPTION_GROUPS } from "@push-reports/standalone";
import { CONFORMANCE_CASES, WIRE_CASES } from "@push-reports/test-support";
import { stringify } from "yaml";
import { capacityPage } from "./capacity-page.js";
import { configurationPage } from "./configuration-page.js";
import { httpApiPage } from "./http-api-page.js";
import { measuredServices } from "./measured-services.js";
import { metricsPage } from "./metrics-page.js";
import { prometheusRule } from "./prometheus-rule.js";

const RULES = fileURLToPath(new URL("../../../observability/prometheus", import.meta.url));

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
        name: "drain",
        about: "Takes what a gateway left in its spill to Kafka, and ends.",
        groups: DRAIN_OPTION_GROUPS,
      },
      {
        name: "migrate",
        about: "Brings the tables to the newest version, and ends.",
        groups: MIGRATE_OPTION_GROUPS,
      },
      {
        name: "verify, replay and erase",
        about:
          "Compare what was read with what is stored; make rows of dead letters; remove what is stored of a user or a device.",
        groups: COMMAND_OPTION_GROUPS,
      },
      {
        name: "import-publishes",
        about: "Fills the table of publishes.",
        groups: ANALYST_COMMAND_OPTION_GROUPS,
      },
      {
        name: "insights",
        about: "The analysts' page.",
        groups: INSIGHTS_OPTION_GROUPS,
      },
      {
        name: "canary",
        about: "Sends marked reports through the public path, and measures their way to a row.",
        groups: CANARY_OPTION_GROUPS,
      },
      {
        name: "doctor",
        about:
          "Looks at a deployment and says what is wrong with it, with the fix. It changes nothing.",
        groups: DOCTOR_OPTION_GROUPS,
      },
      {
        name: "standalone",
        about: "Gateway, log, consumer and database in one process: `npm start`.",
        groups: STANDALONE_OPTION_GROUPS,
      },
    ]),
    "docs/http-api.md": httpApiPage({
      errors: ERROR_RESPONSES,
      cases: CONFORMANCE_CASES,
      wireCases: WIRE_CASES,
    }),
    "docs/capacity.md": capacityPage(),
    "docs/openapi.yaml": stringify(OPENAPI, { aliasDuplicateObjects: false }),
    "k8s/components/monitoring/prometheus-rule.yaml": prometheusRule(RULES),
    "docs/metrics.md": await metricsPage(measuredServices()),
  };
}
