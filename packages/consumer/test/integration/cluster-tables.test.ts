import { expect, it } from "@jest/globals";
import {
  askClickHouse,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import { readMigrations, statementsFor } from "../../src/migrations.js";
import { SQL_FOLDER } from "../../src/sql-folder.js";

const VALUES = {
  database: "reports_db",
  retentionMonths: 13,
  deduplicationWindow: 20_000,
  cluster: "main",
};

// A server that is no cluster can say of these statements that they can be read, not that they work.
describeWithContainers("the migrations' form on a cluster", ["clickhouse"], () => {
  it("is SQL that ClickHouse can read", async () => {
    const server = await sharedClickHouse();
    const statements = readMigrations(SQL_FOLDER).flatMap(({ statements: of }) =>
      of.flatMap((statement) => statementsFor(statement, VALUES)),
    );

    expect(statements.length).toBeGreaterThan(20);
    for (const statement of statements) {
      const tree = await askClickHouse(server, `EXPLAIN AST ${statement}`);
      expect(tree).toMatch(/^"?(Create|Alter|Drop)/);
    }
  });
});
