import { request } from "node:http";
import type { ConformanceAnswer, ConformanceCase } from "./conformance-case.js";

/** Sends one case to a gateway, e.g. `http://127.0.0.1:8080`. @throws when no answer comes, or one that is not JSON. */
export function sendConformanceCase(
  baseUrl: string,
  { request: sent }: Pick<ConformanceCase, "request">,
): Promise<ConformanceAnswer> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const req = request(
      { host: hostname, port, method: sent.method, path: sent.path, headers: headersOf(sent) },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const body: unknown = text === "" ? null : JSON.parse(text);
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body });
        });
      },
    );
    req.on("error", reject);
    req.end(sent.body ?? undefined);
  });
}

function headersOf(sent: ConformanceCase["request"]): Record<string, string | number> {
  return sent.body === null
    ? { ...sent.headers }
    : { ...sent.headers, "content-length": sent.body.length };
}
