import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, it } from "@jest/globals";
import { BROTLI_BOMB, DOUBLE_GZIP_BOMB } from "../../src/conformance/refused-cases.js";

it.each([
  ["brotli", brotliDecompressSync(BROTLI_BOMB)],
  ["gzip twice", gunzipSync(gunzipSync(DOUBLE_GZIP_BOMB))],
])("A compression bomb in %s is 50,000,000 spaces", (_, inflated) => {
  expect(inflated.equals(Buffer.alloc(50_000_000, " "))).toBe(true);
});
