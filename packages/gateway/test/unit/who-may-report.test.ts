import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { CANARY_HEADER, CANARY_INSTANCE_ID } from "@push-reports/report";
import { readConfig } from "@push-reports/service-kit";
import {
  CONFORMANCE_CASES,
  CONFORMANCE_INSTANCE_ID,
  type ConformanceCase,
  sendConformanceCase,
  waitFor,
} from "@push-reports/test-support";
import { HTTP_OPTIONS } from "../../src/config.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const [good] = CONFORMANCE_CASES as [ConformanceCase];
const OTHER = "0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a";
const folder = mkdtempSync(join(tmpdir(), "push-reports-instances-"));
const file = join(folder, "instances");
let gateway: TestGateway | null = null;

const statusOf = async (to: TestGateway, headers: Readonly<Record<string, string>> = {}) => {
  const request = { ...good.request, headers: { ...good.request.headers, ...headers } };
  return (await sendConformanceCase(to.baseUrl, { request })).status;
};

describe("who may report", () => {
  afterEach(async () => {
    await gateway?.stop();
    gateway = null;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is any instance by default, and only those that are listed where there is a list", async () => {
    gateway = await startGateway(new InMemoryReportPublisher(), { instanceIds: [OTHER] });
    const answer = await sendConformanceCase(gateway.baseUrl, good);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: "Bad request", description: expect.stringContaining("instance id given") },
    });
    expect((await gateway.counted()).outcomes).toEqual({ unknown_instance: 1 });
    await gateway.stop();
    gateway = await startGateway(new InMemoryReportPublisher(), {
      instanceIds: [CONFORMANCE_INSTANCE_ID.toUpperCase()],
    });
    expect(await statusOf(gateway)).toBe(200);
  });

  it("is the canary only with the secret, listed or not", async () => {
    const canary = {
      request: {
        ...good.request,
        path: good.request.path.replace(CONFORMANCE_INSTANCE_ID, CANARY_INSTANCE_ID),
      },
    };
    const statusWith = async (to: TestGateway, secret?: string) => {
      const headers = secret === undefined ? {} : { [CANARY_HEADER]: secret };
      const request = { ...canary.request, headers: { ...canary.request.headers, ...headers } };
      return (await sendConformanceCase(to.baseUrl, { request })).status;
    };
    gateway = await startGateway(new InMemoryReportPublisher());
    expect([await statusWith(gateway), await statusWith(gateway, "")]).toEqual([400, 400]);
    await gateway.stop();
    const canarySecret = "a secret of the canary";
    gateway = await startGateway(new InMemoryReportPublisher(), {
      canarySecret,
      instanceIds: [OTHER],
    });
    expect(await statusWith(gateway)).toBe(400);
    expect(await statusWith(gateway, "another secret of the canary")).toBe(400);
    expect(await statusWith(gateway, canarySecret)).toBe(200);
    // The secret opens nothing else.
    expect(await statusOf(gateway, { [CANARY_HEADER]: canarySecret })).toBe(400);
  });

  it("is nobody by a secret that could be guessed", () => {
    expect(() => readConfig(HTTP_OPTIONS, { CANARY_SECRET: "short" }, () => "")).toThrow(
      /CANARY_SECRET must be secret text, 16 characters or more/,
    );
  });

  it("follows a file, and keeps to its last good version", async () => {
    writeFileSync(file, `${OTHER}\n`);
    gateway = await startGateway(new InMemoryReportPublisher(), { instanceIdsFile: file });
    const here = gateway;
    expect(await statusOf(here)).toBe(400);
    writeFileSync(`${file}.new`, `${OTHER}\n${CONFORMANCE_INSTANCE_ID}\n`);
    renameSync(`${file}.new`, file);
    await waitFor(async () => (await statusOf(here)) === 200, { what: "the new version" });
    writeFileSync(file, "");
    const details = () => here.health.ready().details?.["instances"];
    await waitFor(() => details() === "it holds no instance id", { what: "the fault" });
    expect(await statusOf(here)).toBe(200);
    expect(here.health.ready().ok).toBe(true);
    rmSync(file);
    await waitFor(() => String(details()).includes("ENOENT"), { what: "the other fault" });
    expect(await statusOf(here)).toBe(200);
    writeFileSync(file, `${OTHER}\n`);
    await waitFor(async () => (await statusOf(here)) === 400, { what: "the last version" });
    expect(details()).toBe("as in the file");
  });

  it("is what the list and the file say together", async () => {
    writeFileSync(file, `${OTHER}\n`);
    gateway = await startGateway(new InMemoryReportPublisher(), {
      instanceIdsFile: file,
      instanceIds: [CONFORMANCE_INSTANCE_ID],
    });
    expect(await statusOf(gateway)).toBe(200);
  });

  it("is nobody where the file cannot be used at the start, which fails and says why", async () => {
    await expect(
      startGateway(new InMemoryReportPublisher(), { instanceIdsFile: join(folder, "none") }),
    ).rejects.toThrow(/INSTANCE_IDS_FILE .* cannot be used: it cannot be read \(ENOENT\)/);
  });
});

describe("one client's requests under way", () => {
  afterEach(async () => {
    await gateway?.stop();
    gateway = null;
  });

  async function heldGateway(trustProxy: 1 | null) {
    const publisher = new InMemoryReportPublisher();
    let open: () => void = () => {};
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    gateway = await startGateway(publisher, { maxInFlightPerClient: 1, trustProxy });
    return { gateway, open };
  }

  it("are bounded, by the address that connects", async () => {
    const { gateway: here, open } = await heldGateway(null);
    const first = statusOf(here, { "x-forwarded-for": "203.0.113.1" });
    await waitFor(async () => (await here.counted()).requests === 1, { what: "the first" });
    expect(await statusOf(here, { "x-forwarded-for": "203.0.113.2" })).toBe(503);
    open();
    expect(await first).toBe(200);
    expect(await statusOf(here)).toBe(200);
    expect((await here.counted()).outcomes).toEqual({ published: 2, busy_client: 1 });
  });

  it("are bounded by the address that a trusted proxy gives, and by no other", async () => {
    const { gateway: here, open } = await heldGateway(1);
    const first = statusOf(here, { "x-forwarded-for": "203.0.113.1" });
    await waitFor(async () => (await here.counted()).requests === 1, { what: "the first" });
    expect(await statusOf(here, { "x-forwarded-for": "198.51.100.9, 203.0.113.1" })).toBe(503);
    const second = statusOf(here, { "x-forwarded-for": "203.0.113.2" });
    await waitFor(async () => (await here.counted()).requests === 3, { what: "the third" });
    open();
    expect(await Promise.all([first, second])).toEqual([200, 200]);
  });
});
