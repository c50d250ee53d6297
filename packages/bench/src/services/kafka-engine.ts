import { RECORD_COLUMNS } from "@push-reports/report";
import { uniqueName } from "@push-reports/test-support";
import type { Database } from "./database.js";

/**
 * ClickHouse's own way from a topic into `reports`: a table of the Kafka engine with one consumer, and a materialized view. It flushes
 * every second, as our consumer does, and else is as it is by default. @param broker as ClickHouse reaches it.
 */
export async function startKafkaEngine(
  database: Database,
  broker: string,
  topic: string,
): Promise<void> {
  const columns = RECORD_COLUMNS.join(", ");
  const types = await database.ask(
    `SELECT arrayStringConcat(groupArray(name || ' ' || type), ', ') FROM system.columns
     WHERE database = currentDatabase() AND table = 'reports' AND has(splitByString(', ', '${columns}'), name) FORMAT TSVRaw`,
  );
  await database.ask(
    `CREATE TABLE bench_queue (${types}) ENGINE = Kafka
     SETTINGS kafka_broker_list = '${broker}', kafka_topic_list = '${topic}', kafka_group_name = '${uniqueName("engine")}',
       kafka_format = 'JSONEachRow', kafka_num_consumers = 1, kafka_flush_interval_ms = 1000`,
  );
  await database.ask(
    `CREATE MATERIALIZED VIEW bench_queue_to_reports TO reports AS
     SELECT ${columns}, '${topic}' AS source, toUInt32(_partition) AS partition, _offset AS offset FROM bench_queue`,
  );
}

/** Ends it and gives the broker its time back. */
export async function stopKafkaEngine(database: Database): Promise<void> {
  await database.ask("DROP TABLE bench_queue_to_reports");
  await database.ask("DROP TABLE bench_queue");
}
