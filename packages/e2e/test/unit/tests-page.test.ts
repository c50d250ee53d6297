import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "@jest/globals";

const ROOT = new URL("../../../../", import.meta.url);

it("docs/architecture.md says of each test file what it proves, and names none that is not there", () => {
  const page = readFileSync(new URL("docs/architecture.md", ROOT), "utf8");
  const section = page.slice(page.indexOf("## What each test proves"));
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const firsts = rows.map((row) => row.split(" | ")[0] ?? "");
  const folders = firsts.flatMap((first) =>
    [...first.matchAll(/`([\w-]+\/test\/[\w-]+\/)\*`/g)].map(([, folder = ""]) => folder),
  );
  const named = firsts.flatMap((first) =>
    [...first.matchAll(/`(?:[\w-]+\/)*([\w.-]+)`/g)].map(([, name = ""]) => name),
  );
  const packages = fileURLToPath(new URL("packages", ROOT));
  const files = readdirSync(packages, { recursive: true, encoding: "utf8" })
    .filter((path) => /^[^/]+\/test\/.*\.test\.ts$/.test(path))
    .map((path) => ({ path, name: basename(path, ".test.ts") }));
  const isNamed = ({ path, name }: { path: string; name: string }) =>
    named.includes(name) || folders.some((folder) => path.startsWith(folder));

  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => !isNamed(file)).map(({ path }) => path)).toEqual([]);
  expect(named.filter((name) => !files.some((file) => file.name === name))).toEqual([]);
});
