import { describe, expect, it } from "@jest/globals";
import { type CpuProfile, summarize } from "../../src/measure/cpu-profile.js";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 6 });
const ENCODER = "file:///somewhere/packages/report/dist/report-record.js";

const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 3, 6, 7] },
    { id: 2, callFrame: frame("(idle)") },
    { id: 3, callFrame: frame("onread", "node:net"), children: [4] },
    { id: 4, callFrame: frame("encodeReport", ENCODER), children: [5] },
    { id: 5, callFrame: frame("toString", "node:buffer") },
    { id: 6, callFrame: frame("(garbage collector)") },
    { id: 7, callFrame: frame("(program)") },
  ],
  samples: [2, 3, 4, 5, 5, 6, 7],
  timeDeltas: [1_000, 10, 20, 30, 20, 15, 5],
};

describe("A summary of a profile", () => {
  const { steps, functions } = summarize(PROFILE, [{ name: "encode", files: /report\/dist/ }]);

  it("gives a step what Node.js does for it, and leaves idle time out", () => {
    expect(Object.fromEntries(steps)).toEqual({
      encode: 0.7,
      "garbage collection": 0.15,
      "Node.js: sockets, streams, HTTP": 0.1,
      "system calls and the event loop": 0.05,
    });
    expect(steps[0]?.[0]).toBe("encode");
  });

  it("names functions by what they do themselves", () => {
    expect(functions.slice(0, 2)).toEqual([
      ["toString node:buffer:7", 0.5],
      ["encodeReport report/dist/report-record.js:7", 0.2],
    ]);
  });
});
