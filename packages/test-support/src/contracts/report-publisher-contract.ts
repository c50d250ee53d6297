import type { ReportPublisher } from "@push-reports/gateway";
import { decodeReport, encodeReport, type ReportRecord } from "@push-reports/report";
import { jestGlobals } from "../jest-globals.js";
import { aReceivedReport } from "../report-builders.js";

/** A publisher with a queue of its own. */
export interface ReportPublisherUnderTest {
  readonly publisher: ReportPublisher;
  /** Every record that the queue has, in any order. */
  published(): Promise<readonly ReportRecord[]>;
  /** Takes no more records; those under way settle. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Declares the tests that every publisher passes.
 * @param open makes one that is ready; it refuses records beyond `maxWaitingBytes` when that is given.
 */
export function reportPublisherContract(
  open: (limits: { readonly maxWaitingBytes?: number }) => Promise<ReportPublisherUnderTest>,
): void {
  const { expect, it } = jestGlobals();
  const on =
    (
      test: (queue: ReportPublisherUnderTest) => Promise<void>,
      limits: { readonly maxWaitingBytes?: number } = {},
    ): (() => Promise<void>) =>
    async () => {
      const queue = await open(limits);
      try {
        await test(queue);
      } finally {
        await queue.close();
      }
    };
  const someRecords = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport()));
  const idsOf = (records: readonly ReportRecord[]) =>
    records.map((record) => {
      const decoded = decodeReport(record);
      return decoded.ok ? decoded.report.reportId : decoded.reason;
    });

  it(
    "has a record on the queue, as it is, once the publish has resolved",
    on(async ({ publisher, published }) => {
      const record = encodeReport(
        aReceivedReport({ deviceId: 'quote " \n \u0000 \u{1f600}', userId: "ü" }),
      );
      expect(await publisher.publish(record)).toBe("published");
      const [kept, ...more] = await published();
      expect(more).toEqual([]);
      expect(kept?.value).toEqual(record.value);
      expect(kept?.key).toEqual(record.key);
      expect(kept?.timestampMs).toBe(record.timestampMs);
      expect({ ...kept?.headers }).toEqual({ ...record.headers });
    }),
  );

  it(
    "has each of many once, published at the same time and one after the other",
    on(async ({ publisher, published }) => {
      const together = someRecords(400);
      await Promise.all(together.map((record) => publisher.publish(record)));
      const single = someRecords(10);
      for (const record of single) await publisher.publish(record);
      const expected = idsOf([...together, ...single]);
      expect(idsOf(await published()).sort()).toEqual(expected.sort());
      expect(publisher.isHealthy()).toBe(true);
    }),
  );

  it(
    "says overloaded when more bytes wait than may, has exactly what it acknowledged, and recovers",
    on(
      async ({ publisher, published }) => {
        const records = someRecords(300);
        const results = await Promise.allSettled(
          records.map((record) => publisher.publish(record)),
        );
        const refusals = results.filter(({ status }) => status === "rejected");
        expect(refusals.length).toBeGreaterThan(0);
        for (const { reason } of refusals as PromiseRejectedResult[])
          expect(reason).toMatchObject({ name: "PublishError", code: "overloaded" });
        const acknowledged = records.filter((_, n) => results[n]?.status === "fulfilled");
        expect(acknowledged.length).toBeGreaterThan(0);
        const [later] = someRecords(1) as [ReportRecord];
        await publisher.publish(later);
        expect(idsOf(await published()).sort()).toEqual(idsOf([...acknowledged, later]).sort());
      },
      { maxWaitingBytes: 65_536 },
    ),
  );

  it(
    "settles what is under way when it stops, and refuses what comes later",
    on(async ({ publisher, published, stop }) => {
      const records = someRecords(50);
      const publishing = Promise.allSettled(records.map((record) => publisher.publish(record)));
      await stop();
      const results = await publishing;
      const acknowledged = records.filter((_, n) => results[n]?.status === "fulfilled");
      await expect(publisher.publish(someRecords(1)[0] as ReportRecord)).rejects.toMatchObject({
        name: "PublishError",
        code: "stopping",
      });
      expect(idsOf(await published())).toEqual(expect.arrayContaining(idsOf(acknowledged)));
      for (const result of results)
        if (result.status === "rejected")
          expect(result.reason).toMatchObject({ name: "PublishError" });
    }),
  );
}
