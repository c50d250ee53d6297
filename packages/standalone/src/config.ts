import { INGEST_OPTIONS, TABLE_OPTIONS } from "@push-reports/consumer";
import { HTTP_OPTIONS } from "@push-reports/gateway";
import {
  choiceOption,
  integerOption,
  LOG_LEVELS,
  type Option,
  OptionFault,
  optional,
  textOption,
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
  operationsPort: integerOption({
    name: "OPERATIONS_PORT",
    about: "Port of /livez, /readyz and /metrics.",
    unit: "port",
    min: 0,
    max: 65_535,
    fallback: 8_081,
  }),
  operationsHost: optional(
    textOption({
      name: "OPERATIONS_HOST",
      about:
        "Address that the operations port listens on; without it, every address of the machine.",
      form: "address or host name",
    }),
  ),
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
    about: "Memory footprint of the records that wait to be inserted.",
    unit: "bytes",
    min: 1_048_576,
    max: 4_294_967_296,
    fallback: 64 * 1024 * 1024,
  }),
  shutdownTimeoutMs: integerOption({
    name: "SHUTDOWN_TIMEOUT_MS",
    about: "How long a stop may take in all; what is left is done at the next start.",
    unit: "ms",
    min: 1_000,
    max: 600_000,
    fallback: 12_000,
  }),
  logLevel: choiceOption({
    name: "LOG_LEVEL",
    about: "The least serious lines that are written.",
    choices: LOG_LEVELS,
    fallback: "warn",
  }),
  withoutKafka,
} as const;

/** Everything that standalone reads from its environment, by theme. */
export const STANDALONE_OPTION_GROUPS = {
  standalone: STANDALONE_OPTIONS,
  http: HTTP_OPTIONS,
  ingest: INGEST_OPTIONS,
  tables: TABLE_OPTIONS,
} as const;
