import type { ClickHouseEndpoint } from "./clickhouse-server.js";

/**
 * Answer of one SQL statement as ClickHouse gives it; say its `FORMAT`. Each has a connection of its own: one that was kept open may be
 * closed by the server at the moment a busy process sends the next statement, and `fetch` does not send it again.
 * @throws Error with ClickHouse's text.
 */
export async function askClickHouse(endpoint: ClickHouseEndpoint, sql: string): Promise<string> {
  const { url, user, password, database } = endpoint;
  const answer = await fetch(`${url}/?database=${encodeURIComponent(database)}`, {
    method: "POST",
    headers: {
      "x-clickhouse-user": user,
      "x-clickhouse-key": password,
      connection: "close",
    },
    body: sql,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
