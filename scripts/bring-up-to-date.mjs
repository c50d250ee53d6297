import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bin, ROOT } from "./root.mjs";

/** What builds is needed even where NODE_ENV=production makes npm leave it out. */
const INSTALL = ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];

/** Installs what package-lock.json asks for and builds what changed. A quarter of a second when there is nothing to do. */
export function bringUpToDate() {
  if (!isInstalled()) step("Installing dependencies", "npm", INSTALL);
  step(null, bin("tsc"), ["--build"]);
}

/** Compares the lockfile with npm's own note of what it installed; packages for other platforms are not expected. */
function isInstalled() {
  const wanted = packagesOf("package-lock.json");
  const installed = packagesOf(join("node_modules", ".package-lock.json"));
  return (
    installed !== null &&
    Object.entries(wanted)
      .filter(([path, { optional }]) => path !== "" && !optional)
      .every(([path, { version }]) => path in installed && installed[path].version === version)
  );
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(join(ROOT, path), "utf8")).packages;
  } catch {
    return null;
  }
}

/** Runs a command and shows its output only when it fails; then it ends the process with the command's status. */
function step(title, command, args) {
  if (title !== null) process.stderr.write(`${title} … `);
  const startedAt = Date.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status === 0) {
    if (title !== null) process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
    return;
  }
  process.stderr.write(
    `\n${command} ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? ""}${error ?? ""}\n`,
  );
  process.exit(status ?? 1);
}
