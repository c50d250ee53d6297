import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Logger } from "@push-reports/service-kit";
import type { ClickHouseConfig } from "./clickhouse-options.js";

/** Below the 10 s after which a ClickHouse server closes an idle connection, or its end surfaces as ECONNRESET, ms. */
export const IDLE_SOCKET_TTL_MS = 2_500;
/** How much longer than the server's own limit an answer is waited for, ms. */
const ANSWER_MARGIN_MS = 5_000;

/** Makes a client of a ClickHouse server; it connects when it is first used. */
export function createClickHouse(
  config: ClickHouseConfig,
  limits: { readonly insertTimeoutMs: number; readonly maxConnections: number },
  logger: Logger,
): ClickHouseClient {
  return createClient({
    url: config.url,
    username: config.user,
    password: config.password,
    request_timeout: limits.insertTimeoutMs + ANSWER_MARGIN_MS,
    max_open_connections: limits.maxConnections,
    keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_TTL_MS },
    compression: { request: false, response: false },
    ...(config.ca === null ? {} : { tls: { ca_cert: Buffer.from(config.ca) } }),
    log: { level: ClickHouseLogLevel.ERROR, LoggerClass: loggerClass(logger) },
  });
}

/** The client logs through a class that it makes itself. What it calls an error is retried by us, hence a debug line. */
function loggerClass(logger: Logger) {
  const log = ({ module, message, err }: { module: string; message: string; err?: Error }) =>
    logger.debug("clickhouse_client", { module, message, error: err });
  return class {
    trace = log;
    debug = log;
    info = log;
    warn = log;
    error = log;
  };
}
