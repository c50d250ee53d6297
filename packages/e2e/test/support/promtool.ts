import { spawnSync } from "node:child_process";

/** Whether Prometheus' tool for its rules is installed; Debian's package `prometheus` has it. */
export const hasPromtool = () => spawnSync("promtool", ["--version"]).status === 0;

/** What promtool says, and whether it is content. */
export function promtool(...args: readonly string[]): {
  readonly ok: boolean;
  readonly output: string;
} {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}
