import { ConfigError } from "@push-reports/service-kit";
import type { Account } from "./authentication.js";
import type { PageConfig } from "./config.js";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * The account that the page asks for, or null where only this machine can reach it.
 * @throws ConfigError when the page would stand open to others, or only half of an account is given.
 */
export function accountOf(config: PageConfig): Account | null {
  const { insightsUser: user, insightsPassword: password, insightsHost: host } = config;
  if (user !== null && password) return { user, password };
  if (user !== null || password)
    throw new ConfigError(["INSIGHTS_USER and INSIGHTS_PASSWORD are needed together"]);
  if (!LOOPBACK.test(host))
    throw new ConfigError([
      `INSIGHTS_HOST ${JSON.stringify(host)} can be reached by others: set INSIGHTS_USER and INSIGHTS_PASSWORD, or listen on 127.0.0.1`,
    ]);
  return null;
}
