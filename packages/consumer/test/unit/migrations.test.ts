import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { MigrationError } from "../../src/migration-error.js";
import { fillIn, readMigrations } from "../../src/migrations.js";
import { SQL_FOLDER } from "../../src/sql-folder.js";

const VALUES = { database: "reports_db", retentionMonths: 13, deduplicationWindow: 20_000 };

describe("migrations", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "migrations-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  it("are read in the order of their numbers, statement by statement", () => {
    write("0010-later.sql", "SELECT 10;\n");
    write("0002-first.sql", "CREATE TABLE a\n(b String COMMENT 'x; y');\n\nSELECT 2;\n");
    write("README.md", "no migration");

    expect(readMigrations(folder)).toMatchObject([
      {
        version: 2,
        name: "first",
        statements: ["CREATE TABLE a\n(b String COMMENT 'x; y')", "SELECT 2"],
      },
      { version: 10, name: "later", statements: ["SELECT 10"] },
    ]);
  });

  it("have a checksum that changes with every byte of the file", () => {
    write("0001-a.sql", "SELECT 1;\n");
    const [before] = readMigrations(folder);
    write("0001-a.sql", "SELECT 1; \n");
    const [after] = readMigrations(folder);

    expect(before?.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(after?.checksum).not.toBe(before?.checksum);
  });

  it.each(["1-short.sql", "0001.sql", "0001-Upper.sql", "reports.sql"])(
    "are refused when a file is called %s",
    (name) => {
      write(name, "SELECT 1;\n");

      expect(() => readMigrations(folder)).toThrow(MigrationError);
    },
  );

  it("are filled with the values of the deployment", () => {
    expect(
      fillIn(
        "ALTER {database}.t TTL {retention_months} SETTING w = {deduplication_window}",
        VALUES,
      ),
    ).toBe("ALTER reports_db.t TTL 13 SETTING w = 20000");
  });

  it("are refused when nothing fills a placeholder", () => {
    expect(() => fillIn("SELECT {databse}", VALUES)).toThrow(
      new MigrationError("Nothing fills the placeholder {databse}"),
    );
  });

  it("of this package can all be filled, have numbers of their own and may run twice", () => {
    const migrations = readMigrations(SQL_FOLDER);

    expect(new Set(migrations.map(({ version }) => version)).size).toBe(migrations.length);
    for (const { statements } of migrations)
      for (const statement of statements) {
        // Views have parameters of their own, like {instance:UUID}.
        expect(fillIn(statement, VALUES)).not.toMatch(/\{\w+\}/);
        expect(statement).toMatch(/IF (NOT )?EXISTS/);
      }
  });
});
