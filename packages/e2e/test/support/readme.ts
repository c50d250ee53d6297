import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const README = fileURLToPath(new URL("../../../../README.md", import.meta.url));
const run = promisify(execFile);

/** Runs the shell command that stands in README.md under the comment `<!-- title -->`, and gives its output. */
export async function readmeCommand(title: string): Promise<string> {
  const [, after = ""] = readFileSync(README, "utf8").split(`<!-- ${title} -->`);
  const [, command] = /^\s*```sh\n(.*?)```/s.exec(after) ?? [];
  if (command === undefined) throw new Error(`README.md has no command under "${title}"`);
  const { stdout } = await run("sh", ["-euc", command]);
  return stdout;
}
