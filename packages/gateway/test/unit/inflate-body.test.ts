import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { inflateBody } from "../../src/inflate-body.js";

const text = Buffer.from("a report");

describe("inflating a body", () => {
  it("undoes several codings in the order in which they were not applied", () => {
    expect(inflateBody(brotliCompressSync(gzipSync(text)), "gzip, br", 100)).toEqual(text);
  });

  it("takes identity, or nothing, for nothing to undo", () => {
    expect(inflateBody(text, "identity", 100)).toEqual(text);
    expect(inflateBody(text, undefined, 100)).toBe(text);
  });

  it("gives up past the bound, on more codings than anybody applies, and on a cut stream", () => {
    expect(inflateBody(gzipSync(Buffer.alloc(101)), "gzip", 100)).toBeNull();
    expect(inflateBody(text, "gzip, gzip, gzip", 100)).toBeNull();
    expect(inflateBody(gzipSync(text).subarray(0, 12), "gzip", 100)).toBeNull();
  });
});
