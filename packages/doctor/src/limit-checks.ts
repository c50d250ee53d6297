import { filesFor } from "@push-reports/gateway";
import type { DoctorConfig } from "./config.js";
import { type Finding, failed, ok, warning } from "./finding.js";

/** A window must hold the inserts of so many insert timeouts, so that no attempt outlives its token. */
const WINDOW_TIMEOUTS = 10;

/** Limits that only make sense together. @param openFiles what this process may open, or null where it cannot be known. */
export function checkLimits(config: DoctorConfig, openFiles: number | null): readonly Finding[] {
  return [judgeWindow(config), ...judgeGrace(config), ...judgeOpenFiles(config, openFiles)];
}

function judgeWindow({ tables, consumer, expectations }: DoctorConfig): Finding {
  const check = "limits: DEDUPLICATION_WINDOW";
  const insertsPerSecond = consumer.maxInsertsPerSecond * expectations.consumers;
  const needed = Math.ceil((WINDOW_TIMEOUTS * insertsPerSecond * consumer.insertTimeoutMs) / 1_000);
  if (tables.deduplicationWindow >= needed)
    return ok(check, `${tables.deduplicationWindow} inserts, ${needed} are needed.`);
  return failed(
    check,
    `${tables.deduplicationWindow} inserts, but ${expectations.consumers} consumers make up to ${needed} in ${WINDOW_TIMEOUTS} insert timeouts: a late insert may double rows.`,
    `set DEDUPLICATION_WINDOW=${needed} everywhere and run migrate.`,
  );
}

function judgeGrace({ consumer, expectations }: DoctorConfig): readonly Finding[] {
  const { gracePeriodSecs } = expectations;
  if (gracePeriodSecs === null) return [];
  const check = "limits: terminationGracePeriodSeconds";
  const neededMs = Math.max(consumer.insertTimeoutMs, consumer.shutdownTimeoutMs);
  if (gracePeriodSecs * 1_000 > neededMs)
    return [ok(check, `${gracePeriodSecs} s, longer than ${neededMs} ms.`)];
  return [
    failed(
      check,
      `${gracePeriodSecs} s, not longer than INSERT_TIMEOUT_MS and SHUTDOWN_TIMEOUT_MS (${neededMs} ms): pods are killed in the middle of an insert, which is safe and slow.`,
      `set terminationGracePeriodSeconds to ${Math.ceil(neededMs / 1_000) + 5}.`,
    ),
  ];
}

function judgeOpenFiles({ gateway }: DoctorConfig, openFiles: number | null): readonly Finding[] {
  if (openFiles === null) return [];
  const check = "limits: open files";
  const needed = filesFor(gateway.maxConnections);
  if (openFiles >= needed) return [ok(check, `${openFiles}.`)];
  return [
    warning(
      check,
      `${openFiles} here, fewer than a gateway with MAX_CONNECTIONS=${gateway.maxConnections} needs (${needed}).`,
      `raise the limit (nofile) to ${needed}, or lower MAX_CONNECTIONS.`,
    ),
  ];
}
