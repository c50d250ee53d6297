import { existsSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { cpuMsOf, residentBytesOf } from "../../src/measure/process-usage.js";

const isLinux = existsSync("/proc/self/stat");
if (!isLinux) console.warn("NOT VERIFIED: what a process uses (there is no /proc)");
const onLinux = isLinux ? describe : describe.skip;

onLinux("What a process uses (needs Linux)", () => {
  it("is its processor time, which grows by what it works", () => {
    const before = cpuMsOf(process.pid);
    const from = process.cpuUsage();
    let used = 0;
    while (used < 200) {
      const { user, system } = process.cpuUsage(from);
      used = (user + system) / 1_000;
    }
    const grown = cpuMsOf(process.pid) - before;
    expect(grown).toBeGreaterThanOrEqual(180);
    // Other threads of this process may work at the same time.
    expect(grown).toBeLessThan(2_000);
  });

  it("is its resident memory", () => {
    const { rss } = process.memoryUsage();
    expect(residentBytesOf(process.pid) / rss).toBeCloseTo(1, 0);
  });
});
