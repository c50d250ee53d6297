import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "@jest/globals";
import { isFromOtherSite } from "../../src/sql/local-callers.js";

const from = (headers: Record<string, string>) =>
  isFromOtherSite({ headers } as unknown as IncomingMessage);

describe("A request", () => {
  it.each([
    "localhost:8123",
    "127.0.0.1:8123",
    "[::1]:8123",
    "standalone:8123",
    "host.docker.internal:8123",
    "a.localhost",
  ])("to %s is one of this machine", (host) => expect(from({ host })).toBe(false));

  it.each([
    "evil.example.com",
    "evil.example.com:8123",
    "127.0.0.1.nip.io",
    "localhost.evil.com:8123",
  ])("to %s may come from a page that has made its name point here", (host) =>
    expect(from({ host })).toBe(true),
  );

  it("says itself when it comes from another site's page", () => {
    expect(from({ host: "localhost", "sec-fetch-site": "cross-site" })).toBe(true);
    expect(from({ host: "localhost", "sec-fetch-site": "none" })).toBe(false);
  });
});
