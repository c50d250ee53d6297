import { describe } from "@jest/globals";
import { reportPublisherContract } from "@push-reports/test-support";
import { PublishError } from "../../src/report-publisher.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";

describe("the publisher in memory", () =>
  reportPublisherContract(async ({ maxWaitingBytes }) => {
    const publisher = new InMemoryReportPublisher(maxWaitingBytes);
    return {
      publisher,
      published: async () => publisher.records,
      stop: async () => {
        publisher.refusal = new PublishError("stopping", "The publisher is stopping");
      },
      close: async () => undefined,
    };
  }));
