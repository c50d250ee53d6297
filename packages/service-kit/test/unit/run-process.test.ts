import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";

const FIXTURE = fileURLToPath(new URL("../fixtures/service.mjs", import.meta.url));
/** Two signals that lie further apart than this are two wishes, ms. */
const SAME_WISH_MS = 500;

describe("a service's process", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  function run(environment: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [FIXTURE], {
      env: { PATH: process.env["PATH"] ?? "", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    const output = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      output.out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output.err += chunk.toString();
    });
    const exit = once(child, "close").then(([code, signal]) => ({ code, signal }));
    const logged = (event: string) => output.out.includes(`"event":"${event}"`);
    const until = (event: string) => waitFor(() => logged(event), { what: event });
    return { child, output, exit, logged, until };
  }

  it.each(["SIGTERM", "SIGINT"] as const)("ends with code 0 after %s", async (signal) => {
    const { child, exit, until, logged } = run();
    await until("started");
    child.kill(signal);
    expect(await exit).toEqual({ code: 0, signal: null });
    expect([logged("stop_requested"), logged("stopped")]).toEqual([true, true]);
  });

  it.each([
    ["fails", "service_failed", "the group is gone"],
    ["start fails", "start_failed", "the port is taken"],
    ["throws", "uncaught_exception", "a defect"],
    ["rejects", "unhandled_rejection", "an unheard defect"],
  ])("ends with code 1 when it %s, and logs why", async (script, event, message) => {
    const { exit, logged, output } = run({ SCRIPT: script });
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(logged(event)).toBe(true);
    expect(output.out).toContain(message);
  });

  it("ends with code 1 when the stop fails", async () => {
    const { child, exit, until, logged } = run({ SCRIPT: "stop fails" });
    await until("started");
    child.kill("SIGTERM");
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(logged("stop_failed")).toBe(true);
  });

  it("takes a stop while it is still starting", async () => {
    const { child, exit, until } = run({ SCRIPT: "start hangs" });
    await until("starting");
    child.kill("SIGTERM");
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it("takes two signals at once for one, and ends at once with code 130 for a later second", async () => {
    const { child, exit, until } = run({ SCRIPT: "stop hangs" });
    await until("started");
    child.kill("SIGINT");
    await until("stop_requested");
    child.kill("SIGINT");
    await delay(SAME_WISH_MS + 200);
    expect(child.exitCode).toBeNull();
    child.kill("SIGINT");
    expect(await exit).toEqual({ code: 130, signal: null });
  });

  it("ends at once for a wrong configuration, names every fault, and prints no stack and no secret", async () => {
    const { exit, output } = run({ PORT: "eighty", PASSWORD: "hush", PASSWORD_FILE: "/nowhere" });
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(output.err).toBe(
      "The configuration cannot be used:\n" +
        "  - PORT must be a whole number from 0 to 65535 (port)\n" +
        "  - PASSWORD and PASSWORD_FILE are both set: keep one of them\n" +
        "Every setting is described in docs/configuration.md.\n",
    );
    expect(output.out).toBe("");
  });
});
