import { UUID_PATTERN } from "@push-reports/report";

/** The UUID that stands for none (RFC 9562): no table takes it. */
const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/** Whether a text can name an instance: a UUID in any case. */
export const isInstanceId = (text: string) => UUID_PATTERN.test(text) && text !== NIL_UUID;

/** What a list of instances holds, or what is wrong with it. A fault names lines and quotes nothing. */
export type ParsedInstanceIds =
  | { readonly ok: true; readonly ids: ReadonlySet<string> }
  | { readonly ok: false; readonly fault: string };

/** How many faulty lines a fault names. */
const MAX_NAMED_LINES = 5;

/** Reads a list with one instance id a line; blank lines and what follows a `#` are left out. */
export function parseInstanceIds(text: string): ParsedInstanceIds {
  const lines = text.split("\n").map((line) => (line.split("#")[0] ?? "").trim());
  const faulty = lines.flatMap((line, index) =>
    line === "" || isInstanceId(line) ? [] : [index + 1],
  );
  if (faulty.length > 0) return { ok: false, fault: `${whichLines(faulty)} no instance id` };
  const ids = new Set(lines.filter((line) => line !== "").map((line) => line.toLowerCase()));
  // A file that is just being written would lock out every instance, and SDKs drop what is answered 400.
  return ids.size > 0 ? { ok: true, ids } : { ok: false, fault: "it holds no instance id" };
}

function whichLines(lines: readonly number[]): string {
  const named = lines.slice(0, MAX_NAMED_LINES).join(", ");
  if (lines.length === 1) return `line ${named} is`;
  return `lines ${named}${lines.length > MAX_NAMED_LINES ? " and others" : ""} are`;
}
