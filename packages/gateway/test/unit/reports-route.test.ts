import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  CONFORMANCE_CASES,
  CONFORMANCE_PATH,
  sendConformanceCase,
} from "@push-reports/test-support";
import { PublishError, type PublishErrorCode } from "../../src/report-publisher.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const [good] = CONFORMANCE_CASES;
const codes: PublishErrorCode[] = ["overloaded", "timeout", "unavailable", "stopping"];

describe("the reports route", () => {
  let publisher: InMemoryReportPublisher;
  let gateway: TestGateway;
  beforeEach(async () => {
    publisher = new InMemoryReportPublisher();
    gateway = await startGateway(publisher, { maxInFlightRequests: 1 });
  });
  afterEach(() => gateway.stop());
  const send = async () => {
    if (good === undefined) throw new Error("There are no cases");
    return sendConformanceCase(gateway.baseUrl, good);
  };

  it.each(codes)("answers 503 when the publisher says %s, and asks to come again", async (code) => {
    publisher.refusal = new PublishError(code, "no");
    const answer = await send();
    expect(answer).toMatchObject({ status: 503, body: { error: "Service unavailable" } });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect((await gateway.counted()).outcomes).toEqual({ [code]: 1 });
  });

  it("answers 500 to a fault of ours without telling what it is", async () => {
    publisher.refusal = new TypeError("secret of the house");
    const answer = await send();
    expect(answer).toMatchObject({
      status: 500,
      body: { error: "Something went wrong", description: "Internal server error." },
    });
    expect((await gateway.counted()).outcomes).toEqual({ internal_error: 1 });
  });

  it("gives the place of a report back when judging it fails, and counts it once", async () => {
    publisher.failsToBegin = true;
    expect((await send()).status).toBe(500);
    publisher.failsToBegin = false;
    expect((await send()).status).toBe(200);
    expect(gateway.health.ready().details).toMatchObject({ inFlight: 0, isOverloaded: false });
    expect(await gateway.counted()).toEqual({
      requests: 2,
      outcomes: { internal_error: 1, published: 1 },
    });
  });

  it("answers only once the publisher has the record", async () => {
    let open: () => void = () => {};
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    let isAnswered = false;
    const answer = send().finally(() => {
      isAnswered = true;
    });
    const second = await send();
    expect(second.status).toBe(503);
    expect(isAnswered).toBe(false);
    open();
    expect((await answer).status).toBe(200);
    expect((await gateway.counted()).outcomes).toEqual({ busy: 1, published: 1 });
  });

  it("refuses while it is full however the path is spelt, and goes on on the same connection", async () => {
    let open: () => void = () => {};
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = send();
    const paths = [
      CONFORMANCE_PATH,
      `${CONFORMANCE_PATH}/?a=1`,
      CONFORMANCE_PATH.replace("e", "%65"),
    ];
    for (const path of paths) {
      const answer = await fetch(`${gateway.baseUrl}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      expect(answer.status).toBe(503);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("connection")).toBe("keep-alive");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(await answer.json()).toMatchObject({ error: "Service unavailable" });
    }
    const get = await fetch(`${gateway.baseUrl}${CONFORMANCE_PATH}`);
    expect(get.status).toBe(405);
    open();
    expect((await first).status).toBe(200);
    expect((await gateway.counted()).outcomes).toEqual({ busy: paths.length, published: 1 });
  });

  it("counts a spilled report as spilled", async () => {
    publisher.kept = "spilled";
    expect((await send()).status).toBe(200);
    expect((await gateway.counted()).outcomes).toEqual({ spilled: 1 });
  });

  it("tells nothing of what serves it, and never redirects", async () => {
    const answers = await Promise.all(
      ["/", "/reporting_api", `${CONFORMANCE_PATH}/more`].map((path) =>
        fetch(`${gateway.baseUrl}${path}`, { method: "POST", redirect: "manual" }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    const get = await fetch(`${gateway.baseUrl}${CONFORMANCE_PATH}`);
    expect(get.status).toBe(405);
    for (const { headers } of [...answers, get]) {
      expect(headers.get("x-powered-by")).toBeNull();
      expect(headers.get("etag")).toBeNull();
    }
  });
});
