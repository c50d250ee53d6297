import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  createClient,
} from "@clickhouse/client";
import { migrate, readMigrations, SQL_FOLDER } from "@push-reports/consumer";
import { createLogger } from "@push-reports/service-kit";
import { createChdbConnection } from "chdb/connection";

/** Database of the tables in a data folder of standalone. */
export const DATABASE = "push_reports";

/** Opens the database of a data folder of standalone, which must not be running, and makes its tables. */
export async function openDataFolder(folder: string): Promise<ClickHouseClient> {
  mkdirSync(folder, { recursive: true });
  const connection = createChdbConnection({ path: join(folder, "clickhouse") }) as unknown;
  const client = createClient({
    connection: connection as NonNullable<ClickHouseClientConfigOptions["connection"]>,
    log: { level: ClickHouseLogLevel.OFF },
  });
  const values = { database: DATABASE, retentionMonths: 13, deduplicationWindow: 20_000 };
  await migrate(
    client,
    readMigrations(SQL_FOLDER),
    values,
    createLogger({ service: "bench", level: "warn" }),
  );
  return client;
}
