import { UUID_PATTERN } from "@push-reports/report";

/**
 * Ids as they stand in a statement, which is the request's body: parameters travel in its address, which has no room for many.
 * @throws RangeError for what is no UUID.
 */
export function uuidList(ids: readonly string[]): string {
  return ids.map(uuidLiteral).join(", ");
}

function uuidLiteral(id: string): string {
  if (!UUID_PATTERN.test(id)) throw new RangeError("A report's id is no UUID");
  return `'${id}'`;
}
