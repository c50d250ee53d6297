import type { ClickHouseClient } from "@clickhouse/client";
import { CANARY_INSTANCE_ID } from "@push-reports/report";
import { CANARY_PUBLISH_ID } from "./send-canary.js";

/** A row of the canary, and the partition that its record went through. */
export interface CanaryRow {
  readonly deviceId: string;
  readonly partition: number;
}

/** Asks `reports` which of the canary's reports are rows, as analysts would. */
export class QueryableRows {
  readonly #client: ClickHouseClient;
  readonly #database: string;

  constructor(client: ClickHouseClient, database: string) {
    this.#client = client;
    this.#database = database;
  }

  /** @throws ClickHouseError or a network error. */
  async among(deviceIds: readonly string[]): Promise<readonly CanaryRow[]> {
    const result = await this.#client.query({
      query: `SELECT device_id AS deviceId, toUInt32(partition) AS partition FROM ${this.#database}.reports
        WHERE instance_id = {instance:UUID} AND publish_id = {publish:String} AND device_id IN {devices:Array(String)}`,
      query_params: {
        instance: CANARY_INSTANCE_ID,
        publish: CANARY_PUBLISH_ID,
        devices: [...deviceIds],
      },
      format: "JSONEachRow",
    });
    return await result.json<CanaryRow>();
  }
}
