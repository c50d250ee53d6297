import { describe, expect, it } from "@jest/globals";
import express from "express";
import { trustProxyOption } from "../../src/trust-proxy.js";

describe("TRUST_PROXY", () => {
  it.each([
    ["1", 1],
    ["loopback", ["loopback"]],
    ["10.0.0.0/8, ::1,fd00::/8", ["10.0.0.0/8", "::1", "fd00::/8"]],
  ])("%s is a setting that Express takes", (text, value) => {
    expect(trustProxyOption.parse(text, () => "")).toEqual(value);
    expect(() => express().set("trust proxy", value)).not.toThrow();
  });

  it.each(["true", "0", "10.0.0.0/33", "10.0.0", "proxy.example", "::/129", "10.0.0.0/8/8", "*"])(
    "%s is refused",
    (text) => {
      expect(() => trustProxyOption.parse(text, () => "")).toThrow("must be a number of proxies");
    },
  );
});
