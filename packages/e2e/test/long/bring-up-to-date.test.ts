import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const BUILT = "packages/report/dist/index.js";
const SOURCE = "packages/report/src/index.ts";
const INSTALLED = "node_modules/.package-lock.json";

/** In npm's place, as what a registry serves is not tested here: notes its arguments, and installs what is installed already. */
const NPM = `#!/bin/sh
echo "$@" >> npm-calls
rm -rf node_modules
cp -al "${ROOT}node_modules" . 2>/dev/null || cp -a "${ROOT}node_modules" .
`;
const INSTALL = "ci --include=dev --ignore-scripts --no-audit --no-fund\n";

describe("The first thing that every task does in a clone", () => {
  let folder: string;
  let clone: string;
  const at = (path: string) => join(clone, path);
  /** What it said. */
  const bringUpToDate = async () => {
    const script = "(await import('./scripts/bring-up-to-date.mjs')).bringUpToDate()";
    const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"]}` };
    const args = ["--input-type=module", "-e", script];
    return (await run(process.execPath, args, { cwd: clone, env })).stderr;
  };
  const npmCalls = () => readFile(at("npm-calls"), "utf8");
  const isThere = (path: string) => existsSync(at(path));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fresh-clone-"));
    clone = join(folder, "clone");
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin/npm"), NPM, { mode: 0o755 });
    const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const { stdout } = await run("git", listed, { cwd: ROOT });
    for (const path of stdout.split("\0").filter((path) => path !== "")) {
      // A file that is no longer there, and is not committed yet, is still listed.
      if (existsSync(join(ROOT, path))) await cp(join(ROOT, path), at(path), { recursive: true });
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("installs and builds where nothing is installed or built", async () => {
    expect(isThere("node_modules")).toBe(false);
    expect(await bringUpToDate()).toMatch(/^Installing dependencies … [\d.]+ s\n$/);
    expect(await npmCalls()).toBe(INSTALL);
    for (const program of ["standalone", "gateway", "consumer"])
      expect([program, isThere(`packages/${program}/dist/main.js`)]).toEqual([program, true]);
  });

  it("does and says nothing where nothing is to do", async () => {
    const before = await stat(at(BUILT));
    expect(await bringUpToDate()).toBe("");
    expect((await stat(at(BUILT))).mtimeMs).toBe(before.mtimeMs);
  });

  it("builds what changed, without installing anything", async () => {
    await appendFile(at(SOURCE), '\nexport const ADDED = "added afterwards";\n');
    expect(await bringUpToDate()).toBe("");
    expect(await readFile(at(BUILT), "utf8")).toContain("added afterwards");
  });

  it("ends with the compiler's words where a source is wrong", async () => {
    const right = await readFile(at(SOURCE), "utf8");
    await appendFile(at(SOURCE), "\nexport const WRONG: number = true;\n");
    await expect(bringUpToDate()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Type 'boolean' is not assignable to type 'number'"),
    });
    await writeFile(at(SOURCE), right);
    expect(await bringUpToDate()).toBe("");
  });

  it("installs anew where the lockfile asks for another version than is installed", async () => {
    const installed = JSON.parse(await readFile(at(INSTALLED), "utf8"));
    installed.packages["node_modules/kafkajs"].version = "2.2.3";
    // A file of its own: the one that is there may be the other clone's as well.
    await rm(at(INSTALLED));
    await writeFile(at(INSTALLED), JSON.stringify(installed));
    expect(await bringUpToDate()).toMatch(/^Installing dependencies/);
    expect(await npmCalls()).toBe(INSTALL.repeat(2));
    expect(await bringUpToDate()).toBe("");
  });
});
