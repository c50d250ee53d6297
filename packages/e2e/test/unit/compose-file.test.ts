import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { CONSUMER_OPTION_GROUPS, MIGRATE_OPTION_GROUPS } from "@push-reports/consumer";
import { GATEWAY_OPTION_GROUPS } from "@push-reports/gateway";
import { INSIGHTS_OPTION_GROUPS } from "@push-reports/insights";
import { parse } from "yaml";

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly user?: string;
  readonly deploy?: { resources?: { limits?: { memory?: string } } };
}

const PROGRAMS: Readonly<Record<string, object>> = {
  gateway: GATEWAY_OPTION_GROUPS,
  consumer: CONSUMER_OPTION_GROUPS,
  insights: INSIGHTS_OPTION_GROUPS,
  migrate: MIGRATE_OPTION_GROUPS,
};
const text = readFileSync(
  fileURLToPath(new URL("../../../../docker-compose.yml", import.meta.url)),
  "utf8",
);
const { services } = parse(text, { merge: true }) as { services: Record<string, ComposeService> };
const entries = Object.entries(services);
const ours = entries.filter(([, { image }]) => image.startsWith("push-reports"));

describe("docker-compose.yml", () => {
  it("sets only variables that the program it starts reads", () => {
    expect(ours.length).toBeGreaterThanOrEqual(5);
    for (const [name, { command = [], environment = {} }] of ours) {
      const known = Object.values(PROGRAMS[command[0] ?? ""] ?? {}).flatMap((group) =>
        Object.values(group as Record<string, { name: string }>).map((option) => option.name),
      );
      expect({
        name,
        unknown: Object.keys(environment).filter((key) => !known.includes(key)),
      }).toEqual({ name, unknown: [] });
    }
  });

  it("gives a service longer to stop than the service takes", () => {
    for (const [name, { environment = {}, stop_grace_period: grace = "" }] of ours) {
      if (name === "migrate") continue;
      const isLonger =
        Number.parseInt(grace, 10) * 1_000 > Number(environment["SHUTDOWN_TIMEOUT_MS"]);
      expect({ name, isLonger }).toEqual({ name, isLonger: true });
    }
  });

  it("publishes every port on this machine only", () => {
    for (const [name, { ports = [] }] of entries)
      expect({ name, open: ports.filter((port) => !port.startsWith("127.0.0.1:")) }).toEqual({
        name,
        open: [],
      });
  });

  it("limits the memory of every service and says what happens when it ends", () => {
    for (const [name, { deploy, restart }] of entries)
      expect({ name, memory: deploy?.resources?.limits?.memory, restart }).toEqual({
        name,
        memory: expect.stringMatching(/^\d+[MG]$/),
        restart: expect.stringMatching(/^(unless-stopped|on-failure:\d)$/),
      });
  });

  it("names every image with a version", () => {
    for (const [name, { image }] of entries)
      expect({ name, image }).toEqual({
        name,
        image: expect.stringMatching(/:(?!latest)[\w.-]+$/),
      });
  });

  it("holds no password: all are in the sample file of accounts", () => {
    expect(text).not.toMatch(/PASSWORD["']?\s*[:=]/);
  });
});
