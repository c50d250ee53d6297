import { describe, expect, it } from "@jest/globals";
import type { Logger } from "@push-reports/service-kit";
import { FakeClock } from "@push-reports/test-support";
import { KafkaProblem } from "../../src/publish/kafka-problem.js";

const typed = (type: string) =>
  new Error("A send failed", { cause: Object.assign(new Error("refused"), { type }) });

describe("what is wrong with Kafka", () => {
  const aProblem = () => {
    const clock = new FakeClock();
    const events: string[] = [];
    const log = (event: string) => void events.push(event);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    return { clock, events, problem: new KafkaProblem("reports", clock, logger) };
  };

  it("is what somebody has to mend, wherever it shows, until the same work succeeds", () => {
    const { problem } = aProblem();
    problem.failed("connect", new Error("away"));
    expect(problem.reason).toBeNull();
    problem.failed("send", typed("TOPIC_AUTHORIZATION_FAILED"));
    problem.succeeded("metadata");
    expect(problem.reason).toBe("the user has no right to the topic");

    problem.succeeded("send");
    expect(problem.reason).toBeNull();
  });

  it("is what has to be mended first, whatever failed first", () => {
    const { problem } = aProblem();
    // A user without any right: an idempotent producer is refused as well, for a right that would not be enough.
    problem.failed("connect", typed("CLUSTER_AUTHORIZATION_FAILED"));
    problem.failed("metadata", typed("TOPIC_AUTHORIZATION_FAILED"));
    expect(problem.reason).toBe("the user has no right to the topic");
    problem.succeeded("metadata");
    expect(problem.reason).toMatch(/no right to write to the topic/);
  });

  it("is said when it begins, when it changes, and once a minute", async () => {
    const { clock, events, problem } = aProblem();
    for (let n = 0; n < 3; n += 1) problem.failed("connect", new Error("away"));
    expect(events).toEqual(["kafka_unavailable"]);
    problem.failed("connect", typed("SASL_AUTHENTICATION_FAILED"));
    // Other work that fails for the same reason is no news.
    problem.failed("metadata", typed("SASL_AUTHENTICATION_FAILED"));
    expect(events).toEqual(["kafka_unavailable", "kafka_misconfigured"]);
    await clock.advance(59_999);
    problem.failed("connect", typed("SASL_AUTHENTICATION_FAILED"));
    expect(events).toHaveLength(2);
    await clock.advance(1);
    problem.failed("connect", typed("SASL_AUTHENTICATION_FAILED"));
    expect(events).toHaveLength(3);

    problem.succeeded("connect");
    problem.failed("connect", new Error("away"));
    expect(events).toHaveLength(4);
  });
});
