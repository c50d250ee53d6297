import { describe, expect, it } from "@jest/globals";
import { ERROR_RESPONSES, type FaultCode, writeFault } from "../../src/error-responses.js";

const codes = Object.keys(ERROR_RESPONSES) as FaultCode[];

describe("the answers to faults", () => {
  it.each(codes)("%s is 400, 500 or 503 and lets any origin read it", (code) => {
    const { status, headers, body } = writeFault({ code });
    expect([400, 500, 503]).toContain(status);
    expect(headers).toMatchObject({
      "access-control-allow-origin": "*",
      "content-type": "application/json",
    });
    expect(Object.keys(JSON.parse(body) as object)).toEqual(["error", "description"]);
  });

  it("ask for at least one second and spread over eight when the report could be accepted later", () => {
    const at = (random: number) =>
      writeFault({ code: "timeout" }, () => random).headers["retry-after"];
    expect([at(0), at(0.999)]).toEqual([1, 8]);
    expect(writeFault({ code: "unreadable_body" }).headers).not.toHaveProperty("retry-after");
  });
});
