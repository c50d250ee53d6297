import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { freePort } from "@push-reports/test-support";
import { checkReporting } from "../../src/reporting-checks.js";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "content-type, x-pusher-library",
};
const REFUSALS = [
  ["{}", "event is missing from body."],
  ["", "Failed to read body as a JSON object."],
] as const;

describe("doctor, from outside", () => {
  let server: Server | null = null;
  afterEach(async () => {
    await new Promise((resolve) => server?.close(resolve) ?? resolve(null));
    server = null;
  });

  const listen = async (listener: RequestListener) => {
    const listening = createServer(listener);
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  };
  const troubles = async (listener: RequestListener) =>
    (await checkReporting(await listen(listener)))
      .filter(({ status }) => status !== "ok")
      .map(({ check }) => check);

  /** Answers as a gateway, but for what `instead` answers itself. */
  const gateway =
    (instead: (method: string, bytes: number) => [number, Record<string, string>] | null) =>
    (...[req, res]: Parameters<RequestListener>): void => {
      const chunks: Buffer[] = [];
      req.on("data", (chunk: Buffer) => chunks.push(chunk));
      req.on("end", () => {
        const body = Buffer.concat(chunks);
        const other = instead(req.method ?? "", body.length);
        if (other !== null) return void res.writeHead(...other).end("<html></html>");
        if (req.method === "OPTIONS") return void res.writeHead(204, CORS).end();
        const [, description] = REFUSALS.find(([text]) => text === body.toString()) ?? REFUSALS[1];
        res.writeHead(400, CORS).end(JSON.stringify({ error: "Bad request", description }));
      });
    };

  it("finds nothing wrong with a gateway", async () => {
    expect(await troubles(gateway(() => null))).toEqual([]);
  });

  it.each([
    ["a redirect", "POST", 0, 308, { location: "https://elsewhere/" }],
    ["a proxy's own 404", "POST", 0, 404, {}],
    ["a portal's 200", "POST", 0, 200, {}],
  ] as const)("finds %s", async (_, method, atLeast, status, headers) => {
    const found = await troubles(
      gateway((asked, bytes) =>
        asked === method && bytes >= atLeast ? [status, { ...headers }] : null,
      ),
    );

    expect(found).toEqual(["reports: a bad one", "reports: a large one"]);
  });

  it("finds a limit of the body that is lower than the gateway's", async () => {
    const limit = gateway((_, bytes) => (bytes > 1_048_576 ? [413, {}] : null));
    expect(await troubles(limit)).toEqual(["reports: a large one"]);
  });

  it("finds a preflight that is answered without the headers that browsers ask for", async () => {
    const plain = gateway((method) => (method === "OPTIONS" ? [200, {}] : null));
    expect(await troubles(plain)).toEqual(["reports: preflight of browsers"]);
  });

  it("finds that nobody answers", async () => {
    const [finding] = await checkReporting(`http://127.0.0.1:${await freePort()}`);
    expect(finding).toMatchObject({ check: "reports: reachable", status: "failed" });
    expect(finding?.detail).toContain("ECONNREFUSED");
  });
});
