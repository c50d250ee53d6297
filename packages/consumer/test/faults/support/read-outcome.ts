import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readTopic } from "@push-reports/test-support";
import type { Pipeline } from "../../support/pipeline.js";
import type { LedgerRow, Outcome, Place } from "./outcome.js";
import type { World } from "./world.js";

/** Reads everything that a schedule left behind. */
export async function outcomeOf({ pipeline, log }: World): Promise<Outcome> {
  const { database } = pipeline;
  const [rows, deadLetters, ledger] = [
    await pipeline.rowsOf<{ partition: number; offset: string; id: string }>(
      `SELECT partition, toString(offset) AS offset, toString(report_id) AS id FROM ${database}.reports`,
    ),
    await pipeline.rowsOf<{ partition: number; offset: string; reason: string }>(
      `SELECT partition, toString(offset) AS offset, reason FROM ${database}.dead_letters FINAL`,
    ),
    await pipeline.rowsOf<Record<keyof LedgerRow, string | number>>(
      `SELECT partition, first, last, rows, set_aside, repeated, absent FROM ${database}.ledger ORDER BY partition, first`,
    ),
  ];
  return {
    log: await log.everything(),
    removedBelow: log.removedBelow,
    rows: rows.map(({ partition, offset, id }) => ({
      place: place(partition, offset),
      reportId: id,
    })),
    deadLetters: new Map(
      deadLetters.map(({ partition, offset, reason }) => [place(partition, offset), reason]),
    ),
    ledger: ledger.map((row) => numbersOf(row)),
  };
}

/** The places of the records that the dead-letter topic holds; some may be there more than once. */
export async function placesInDeadLetterTopic(
  brokers: readonly string[],
  { deadLetterTopic }: Pipeline,
): Promise<ReadonlySet<Place>> {
  const records = await readTopic(brokers, deadLetterTopic);
  return new Set(
    records.map(({ headers }) =>
      place(Number(headers["dead-letter-partition"]), String(headers["dead-letter-offset"])),
    ),
  );
}

/** What the command `verify` objects to, besides records that retention removed; null when that is nothing. */
export function verificationFault(pipeline: Pipeline): Promise<string | null> {
  const main = fileURLToPath(new URL("../../../dist/verify-main.js", import.meta.url));
  const options = { env: pipeline.environment() };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, "--json"], options, (error, stdout, stderr) => {
      const isAnswer = error === null || error.code === 1;
      resolve(
        isAnswer ? objectionOf(stdout) : `verify ended with ${error.code}: ${stdout}${stderr}`,
      );
    });
  });
}

function objectionOf(answer: string): string | null {
  const { discrepancies } = JSON.parse(answer) as {
    readonly discrepancies: readonly { readonly kind: string }[];
  };
  const objections = discrepancies.filter(({ kind }) => kind !== "absent");
  return objections.length === 0 ? null : `verify found ${JSON.stringify(objections)}`;
}

const place = (partition: number, offset: string): Place => `${partition}/${Number(offset)}`;

function numbersOf(row: Record<keyof LedgerRow, string | number>): LedgerRow {
  const entries = Object.entries(row).map(([name, value]) => [name, Number(value)] as const);
  return Object.fromEntries(entries) as unknown as LedgerRow;
}
