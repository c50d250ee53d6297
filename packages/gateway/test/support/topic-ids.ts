import { readTopic } from "@push-reports/test-support";

/** The report ids of a topic, each as often as it is there. */
export async function topicIds(
  brokers: readonly string[],
  topic: string,
): Promise<readonly string[]> {
  const records = await readTopic(brokers, topic);
  return records.map(({ value }) => {
    const row = JSON.parse(String(value)) as { readonly report_id: string };
    return row.report_id;
  });
}
