import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

describe("Standalone's SQL, asked through @clickhouse/client", () => {
  let standalone: StandaloneDeployment;
  let client: ClickHouseClient;
  beforeAll(async () => {
    standalone = await StandaloneDeployment.start();
    client = createClient({
      url: standalone.sqlUrl,
      compression: { response: true },
      log: { level: ClickHouseLogLevel.OFF },
    });
  });
  afterAll(async () => {
    await client?.close();
    await standalone?.dispose();
  });

  it("is there, with and without a query", async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
  });

  it("binds values of any kind", async () => {
    const values = {
      text: "it's; \\ \n\t😀",
      list: ["a'", "b;"],
      day: new Date(1_700_000_000_000),
    };
    const result = await client.query({
      query:
        "SELECT {text:String} AS text, {list:Array(String)} AS list, {day:DateTime64(3, 'UTC')} AS day, {none:Nullable(String)} AS none",
      query_params: { ...values, none: null },
      format: "JSONEachRow",
    });

    expect(await result.json()).toEqual([
      { text: values.text, list: values.list, day: "2023-11-14 22:13:20.000", none: null },
    ]);
  });

  it("gives rows as a stream", async () => {
    const result = await client.query({
      query: "SELECT number FROM numbers(200000)",
      format: "JSONEachRow",
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    let sum = 0;
    for await (const rows of result.stream<{ number: number }>())
      for (const row of rows) sum += row.json<{ number: number }>().number;

    expect(sum).toBe((199_999 * 200_000) / 2);
  });

  it("names the error of a write, and of a query that is wrong", async () => {
    const writing = client.insert({ table: "reports", values: [{}], format: "JSONEachRow" });
    await expect(writing).rejects.toMatchObject({ code: "497", type: "ACCESS_DENIED" });
    const wrong = client.query({ query: "SELECT * FROM nope" });
    await expect(wrong).rejects.toMatchObject({ code: "60", type: "UNKNOWN_TABLE" });
  });
});
