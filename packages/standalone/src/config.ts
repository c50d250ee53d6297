import { INGEST_OPTIONS, TABLE_OPTIONS } from "@push-reports/consumer";
import { HTTP_OPTIONS, tooShortStop } from "@push-reports/gateway";
import { PAGE_OPTIONS } from "@push-reports/insights";
import {
  equalPorts,
  integerOption,
  logLevelOption,
  type Option,
  OptionFault,
  operationsPortOption,
  optional,
  shutdownTimeoutOption,
  textOption,
  withContradictionsOfGroups,
} from "@push-reports/service-kit";

const withoutKafka: Option<null> = {
  name: "KAFKA_BROKERS",
  about: "Not for standalone, which has a log of its own.",
  form: "not set",
  fallback: null,
  secret: false,
  parse: () => {
    throw new OptionFault("is for the services: unset it, or run gateway and consumer instead");
  },
};

/** Options of standalone's own. */
const STANDALONE_OPTIONS = {
  dataDir: textOption({
    name: "DATA_DIR",
    about: "Folder of the log and of the database; one process at a time owns it.",
    form: "path",
    fallback: "./data",
  }),
  operationsPort: operationsPortOption(8_081),
  operationsHost: optional(
    textOption({
      name: "OPERATIONS_HOST",
      about:
        "Address that the operations port listens on; without it, every address of the machine.",
      form: "address or host name",
    }),
  ),
  sqlPort: integerOption({
    name: "SQL_PORT",
    about: "Port of ClickHouse's HTTP interface, read only.",
    unit: "port",
    min: 0,
    max: 65_535,
    fallback: 8_123,
  }),
  sqlHost: textOption({
    name: "SQL_HOST",
    about: "Address that the SQL port listens on. Whoever reaches it can read every report.",
    form: "address or host name",
    fallback: "127.0.0.1",
  }),
  sqlMaxQueries: integerOption({
    name: "SQL_MAX_QUERIES",
    about: "Statements that may wait or run, two at a time; one more is refused.",
    unit: "statements",
    min: 1,
    max: 1_000,
    fallback: 50,
  }),
  sqlMaxExecutionSecs: integerOption({
    name: "SQL_MAX_EXECUTION_SECS",
    about: "How long one statement may run.",
    unit: "s",
    min: 1,
    max: 3_600,
    fallback: 30,
  }),
  sqlMaxMemoryBytes: integerOption({
    name: "SQL_MAX_MEMORY_BYTES",
    about: "Memory of one statement.",
    unit: "bytes",
    min: 16_777_216,
    max: 1_099_511_627_776,
    fallback: 1_073_741_824,
  }),
  sqlMaxResultBytes: integerOption({
    name: "SQL_MAX_RESULT_BYTES",
    about:
      "Result of one statement, as the database holds it; in text it may be several times that.",
    unit: "bytes",
    min: 1_048_576,
    max: 1_073_741_824,
    fallback: 33_554_432,
  }),
  maxLogBytes: integerOption({
    name: "MAX_LOG_BYTES",
    about: "Bytes of reports that may wait on disk to become rows; past it the answer is 503.",
    unit: "bytes",
    min: 1_048_576,
    max: 1_099_511_627_776,
    fallback: 4_294_967_296,
  }),
  maxWaitingBytes: integerOption({
    name: "MAX_WAITING_BYTES",
    about: "Bytes of reports that may wait for the disk; past it the answer is 503 at once.",
    unit: "bytes",
    min: 65_536,
    max: 1_073_741_824,
    fallback: 16 * 1024 * 1024,
  }),
  maxBufferedBytes: integerOption({
    name: "MAX_BUFFERED_BYTES",
    about: "Memory footprint of the records from when they are read to their commit.",
    unit: "bytes",
    min: 1_048_576,
    max: 4_294_967_296,
    fallback: 64 * 1024 * 1024,
  }),
  shutdownTimeoutMs: shutdownTimeoutOption(
    "How long a stop may take in all; at least 2 s more than SHUTDOWN_DELAY_MS and ANSWER_DEADLINE_MS together. What is left is done at the next start.",
    15_000,
  ),
  logLevel: logLevelOption("warn"),
  withoutKafka,
} as const;

/** Everything that standalone reads from its environment, by theme. */
export const STANDALONE_OPTION_GROUPS = withContradictionsOfGroups(
  {
    standalone: STANDALONE_OPTIONS,
    http: HTTP_OPTIONS,
    ingest: INGEST_OPTIONS,
    tables: TABLE_OPTIONS,
    page: PAGE_OPTIONS,
  },
  ({ standalone, http, page }) => [
    ...tooShortStop({ ...http, shutdownTimeoutMs: standalone.shutdownTimeoutMs }),
    ...equalPorts({
      HTTP_PORT: http.httpPort,
      OPERATIONS_PORT: standalone.operationsPort,
      SQL_PORT: standalone.sqlPort,
      INSIGHTS_PORT: page.insightsPort,
    }),
  ],
);
