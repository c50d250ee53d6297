import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { plainReceivedAtMs } from "../../src/index.js";

const ID = "018c3f5e-0000-7000-8000-000000000001";
const line = (receivedAt: string, id = ID) =>
  Buffer.from(`{"report_id":"${id}","received_at":"${receivedAt}","instance_id":"`);

describe("the time of receipt in a record's line", () => {
  it("is read where it stands", () => {
    const times = fc.date({
      min: new Date("0100-01-01T00:00:00.000Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, (time) => {
        const text = time.toISOString().replace("T", " ").slice(0, 23);
        expect(plainReceivedAtMs(line(text))).toBe(time.getTime());
      }),
    );
  });

  it.each([
    ["another form", line("2026-01-02T03:04:05.678")],
    ["seconds", line("1767323045.678000000000")],
    ["a time without milliseconds", line("2026-01-02 03:04:05")],
    ["a longer time", line("2026-01-02 03:04:05.6789")],
    ["no digit", line("2026-01-0x 03:04:05.678")],
    ["no digit at its end", line("2026-01-02 03:04:05.67x")],
    ["no month", line("2026-13-02 03:04:05.678")],
    ["no day", line("2026-01-00 03:04:05.678")],
    ["no hour", line("2026-01-02 24:04:05.678")],
    ["no minute", line("2026-01-02 03:60:05.678")],
    ["no second", line("2026-01-02 03:04:60.678")],
    ["another id", line("2026-01-02 03:04:05.678", `${ID}0`)],
    [
      "another key",
      Buffer.from(line("2026-01-02 03:04:05.678").toString().replace("received", "recorded")),
    ],
    [
      "another first key",
      Buffer.from(line("2026-01-02 03:04:05.678").toString().replace("report", "REPORT")),
    ],
    ["nothing behind it", line("2026-01-02 03:04:05.678").subarray(0, 90)],
    ["nothing", Buffer.alloc(0)],
  ])("is not guessed where there is %s", (_, value) => {
    expect(plainReceivedAtMs(value)).toBeNull();
  });
});
