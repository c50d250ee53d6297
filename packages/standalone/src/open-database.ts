import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  createClient,
} from "@clickhouse/client";
import { type ChdbConnection, createChdbConnection } from "chdb/connection";
import { OneAtATime } from "./one-at-a-time.js";
import { setParameters } from "./set-parameters.js";

/** What the parts of a statement that are seen to here have in common. */
interface Statement {
  readonly query_params?: Readonly<Record<string, unknown>>;
  readonly abort_signal?: AbortSignal;
}

/**
 * Opens the engine on its folder, which one process at a time can have; whether it can shows at the first statement. It does one
 * statement at a time, and waits for no other client of the folder. A statement whose `abort_signal` aborts before its turn is not run; one that has begun is not ended.
 */
export function openDatabase(path: string): ClickHouseClient {
  const chdb = createChdbConnection({ path });
  // A statement that waited inside of the engine would hold one of the few threads that files are read and written by.
  const turns = new OneAtATime();
  const inTurn =
    <P extends Statement, T>(run: (connection: ChdbConnection, params: P) => Promise<T>) =>
    (params: P): Promise<T> =>
      turns.run(() => withParameters(path, chdb, params, run), params.abort_signal);
  // The two packages declare the same interface, but not for exactOptionalPropertyTypes.
  const connection: unknown = {
    query: inTurn<Of<"query">, unknown>((chosen, params) => chosen.query(params)),
    exec: inTurn<Of<"exec">, unknown>((chosen, params) => chosen.exec(params)),
    command: inTurn<Of<"command">, unknown>((chosen, params) => chosen.command(params)),
    insert: inTurn<Of<"insert">, unknown>((chosen, params) => chosen.insert(params)),
    ping: (params: Of<"ping">) => turns.run(() => chdb.ping(params)),
    close: () => chdb.close(),
  };
  return createClient({
    connection: connection as NonNullable<ClickHouseClientConfigOptions["connection"]>,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

type Of<Method extends "query" | "exec" | "command" | "insert" | "ping"> = Parameters<
  ChdbConnection[Method]
>[0];

/**
 * Runs a statement with its parameters set on a connection of its own, which takes a millisecond, so that no later statement knows them. As chdb would
 * set them, one statement with parameters would wait for every other of the process.
 */
async function withParameters<P extends Statement, T>(
  path: string,
  chdb: ChdbConnection,
  { query_params: values = {}, abort_signal: _inTurn, ...statement }: P,
  run: (connection: ChdbConnection, params: P) => Promise<T>,
): Promise<T> {
  const params = statement as unknown as P;
  if (Object.keys(values).length === 0) return await run(chdb, params);
  const own = createChdbConnection({ path });
  try {
    await own.command({ query: setParameters(values) });
    return await run(own, params);
  } finally {
    await own.close();
  }
}
