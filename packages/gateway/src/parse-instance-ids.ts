import { setImmediate as nextTurn } from "node:timers/promises";
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
/** Lines between two turns of the event loop, some 2 ms: reports come in meanwhile. */
const LINES_A_TURN = 2_000;

/** Reads a list with one instance id a line; blank lines and what follows a `#` are left out. */
export async function parseInstanceIds(text: string): Promise<ParsedInstanceIds> {
  const ids = new Set<string>();
  const faulty: number[] = [];
  let lines = 0;
  for (const line of linesOf(text)) {
    lines += 1;
    const id = line.includes("#") ? line.slice(0, line.indexOf("#")).trim() : line.trim();
    if (isInstanceId(id)) ids.add(id.toLowerCase());
    else if (id !== "") faulty.push(lines);
    if (faulty.length > MAX_NAMED_LINES) break;
    if (lines % LINES_A_TURN === 0) await nextTurn();
  }
  if (faulty.length > 0) return { ok: false, fault: `${whichLines(faulty)} no instance id` };
  // A file that is just being written would lock out every instance, and SDKs drop what is answered 400.
  return ids.size > 0 ? { ok: true, ids } : { ok: false, fault: "it holds no instance id" };
}

function* linesOf(text: string): Generator<string> {
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
  yield text.slice(start);
}

function whichLines(lines: readonly number[]): string {
  const named = lines.slice(0, MAX_NAMED_LINES).join(", ");
  if (lines.length === 1) return `line ${named} is`;
  return `lines ${named}${lines.length > MAX_NAMED_LINES ? " and others" : ""} are`;
}
