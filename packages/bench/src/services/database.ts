import { askClickHouse, type ClickHouseEndpoint, uniqueName } from "@push-reports/test-support";
import type { Lab } from "./lab.js";

/** A database of its own, with the tables and views of this version. */
export class Database {
  readonly #endpoint: ClickHouseEndpoint;

  private constructor(endpoint: ClickHouseEndpoint) {
    this.#endpoint = endpoint;
  }

  /** @throws Error when the migrations fail. */
  static async create(lab: Lab): Promise<Database> {
    const server = await lab.clickHouse();
    const database = new Database({
      ...server,
      database: uniqueName("bench").replaceAll("-", "_"),
    });
    const migrate = lab.run("migrate", database.environment);
    const code = await migrate.untilEnded();
    if (code !== 0) throw new Error(`migrate ended with ${code}:\n${migrate.output}`);
    return database;
  }

  /** How our programs find it. */
  get environment(): Readonly<Record<string, string>> {
    const { url, user, password, database } = this.#endpoint;
    return {
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: user,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DATABASE: database,
    };
  }

  /** The answer of a statement, without the last line break. */
  async ask(sql: string): Promise<string> {
    return (await askClickHouse(this.#endpoint, sql)).trimEnd();
  }

  /** Rows of `reports`. */
  async rows(): Promise<number> {
    return Number(await this.ask("SELECT count() FROM reports"));
  }

  async drop(): Promise<void> {
    const { database } = this.#endpoint;
    await askClickHouse({ ...this.#endpoint, database: "default" }, `DROP DATABASE ${database}`);
  }
}
