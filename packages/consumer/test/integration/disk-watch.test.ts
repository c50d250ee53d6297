import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterEach, expect, it } from "@jest/globals";
import { createLogger, systemClock } from "@push-reports/service-kit";
import {
  describeWithContainers,
  freePort,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { DiskWatch } from "../../src/disk-watch.js";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("the watch of ClickHouse's disks", ["kafka", "clickhouse"], () => {
  let dispose: () => Promise<unknown> = async () => undefined;
  afterEach(() => dispose());

  it("is exported by a consumer as the share that the server says is free", async () => {
    const pipeline = await Pipeline.create(
      (await sharedKafka()).brokers,
      await sharedClickHouse(),
      1,
    );
    dispose = () => pipeline.close();
    const consumer = await pipeline.launch();
    const free = () => consumer.series("clickhouse_disk_free_ratio");
    await waitFor(async () => Number(await free()) > 0, { what: "a look", timeoutMs: 30_000 });
    const result = await pipeline.clickHouse.query({
      query: "SELECT toString(min(free_space / total_space)) AS free FROM system.disks",
      format: "JSONEachRow",
    });
    const [row] = await result.json<{ readonly free: string }>();

    expect(Math.abs(Number(await free()) - Number(row?.free))).toBeLessThan(0.05);
  });

  it("knows nothing while the server is away, and stops all the same", async () => {
    const clickHouse = createClient({
      url: `http://127.0.0.1:${await freePort()}`,
      log: { level: ClickHouseLogLevel.OFF },
    });
    dispose = () => clickHouse.close();
    const looks: number[] = [];
    const logger = createLogger({ service: "test", level: "silent" });
    const onLook = (free: number) => looks.push(free);
    const watch = new DiskWatch({ clickHouse, onLook, clock: systemClock, logger });

    await watch.start();
    await waitFor(() => looks.length > 0, { what: "a look" });
    await watch.stop();

    expect(looks).toEqual([Number.NaN]);
  });
});
