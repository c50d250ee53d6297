import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  createClient,
} from "@clickhouse/client";
import { afterAll, beforeAll, describe } from "@jest/globals";
import {
  type DatabaseUnderTest,
  deadLettersContract,
  describeWithContainers,
  judgedRecordsContract,
  ledgerContract,
  reportWriterContract,
  sharedClickHouse,
  storedReportsContract,
} from "@push-reports/test-support";
import { createChdbConnection } from "chdb/connection";
import { clickHouseUnderTest } from "../support/clickhouse-under-test.js";

const log = { level: ClickHouseLogLevel.OFF };

function databaseContracts(connect: () => Promise<ClickHouseClient>): void {
  let database: DatabaseUnderTest;
  beforeAll(async () => {
    database = await clickHouseUnderTest(await connect());
  });
  afterAll(async () => database?.close());

  describe("the report writer", () => reportWriterContract(() => database));
  describe("the ledger", () => ledgerContract(() => database));
  describe("stored reports", () => storedReportsContract(() => database));
  describe("dead letters", () => deadLettersContract(() => database));
  describe("judged records", () => judgedRecordsContract(() => database));
}

describeWithContainers("on a ClickHouse server", ["clickhouse"], () =>
  databaseContracts(async () => {
    const { url, user, password } = await sharedClickHouse();
    return createClient({ url, username: user, password, log });
  }),
);

describe("on chDB, the engine in the process", () => {
  const path = mkdtempSync(join(tmpdir(), "push-reports-chdb-"));
  databaseContracts(async () => {
    // The two packages declare the same interface, but not for exactOptionalPropertyTypes.
    const connection = createChdbConnection({ path }) as unknown;
    type Connection = NonNullable<ClickHouseClientConfigOptions["connection"]>;
    return createClient({ connection: connection as Connection, log });
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));
});
