import { STATUS_CODES } from "node:http";
import type { ConformanceCase } from "@push-reports/test-support";

/** A case as the bytes that go to and fro, in a fenced block. */
export function exampleOf({ request, answer }: ConformanceCase): string {
  return [
    "```http",
    `${request.method} ${request.path} HTTP/1.1`,
    ...headerLines(request.headers),
    "",
    request.body?.toString() ?? "",
    "```",
    "",
    "```http",
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    ...headerLines(answer.headers),
    ...(answer.body === null ? [] : ["", JSON.stringify(answer.body)]),
    "```",
  ].join("\n");
}

const headerLines = (headers: Readonly<Record<string, unknown>>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);

/** Text of any bytes for a cell of a table: printable, in one line, and at most about `maxLength` long. */
export function shown(text: string, maxLength: number): string {
  const printable = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replace(
      /[^\x20-\x7e]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
    .replaceAll("|", "\\|")
    .replaceAll("`", "'");
  const half = Math.floor(maxLength / 2);
  const cut =
    printable.length <= maxLength
      ? printable
      : `${printable.slice(0, half)} … ${printable.slice(-half)}`;
  return `\`${cut.trim() || " "}\``;
}
