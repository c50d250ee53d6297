import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "@push-reports/service-kit";
import { accountOf } from "../../src/account.js";
import { PAGE_OPTIONS } from "../../src/config.js";

const accountFrom = (environment: Record<string, string>) =>
  accountOf(readConfig(PAGE_OPTIONS, environment, () => ""));

describe("the page's account", () => {
  it.each(["127.0.0.1", "127.1.2.3", "localhost", "::1"])("is not needed on %s", (host) => {
    expect(accountFrom({ INSIGHTS_HOST: host })).toBeNull();
  });

  it.each(["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"])(
    "is needed on %s",
    (host) => {
      expect(() => accountFrom({ INSIGHTS_HOST: host })).toThrow(ConfigError);
      const given = { INSIGHTS_USER: "ana", INSIGHTS_PASSWORD: "lyst" };
      expect(accountFrom({ INSIGHTS_HOST: host, ...given })).toEqual({
        user: "ana",
        password: "lyst",
      });
    },
  );

  it("is refused by halves", () => {
    expect(() => accountFrom({ INSIGHTS_USER: "ana" })).toThrow(ConfigError);
    expect(() => accountFrom({ INSIGHTS_PASSWORD: "lyst" })).toThrow(ConfigError);
    expect(() => accountFrom({ INSIGHTS_USER: "ana", INSIGHTS_PASSWORD: "" })).toThrow(ConfigError);
  });
});
