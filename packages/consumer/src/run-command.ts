import { createInterface } from "node:readline/promises";
import { explain } from "@push-reports/service-kit";

/** How a command talks to whoever runs it. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Asks a question and waits for a line; null where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** What a command works with: it is opened once the arguments are known to be good. */
export interface Command<T> {
  readonly open: () => Promise<T>;
  readonly terminal: Terminal;
}

/** Runs a command: standard input and output, exit code 2 when it cannot be done. What it has opened is closed at the end. */
export async function runCommand<T extends { readonly close: () => Promise<void> }>(
  program: NodeJS.Process,
  run: (args: readonly string[], command: Command<T>) => Promise<number>,
  open: () => T | Promise<T>,
): Promise<void> {
  let close = async () => {};
  const openOnce = async () => {
    const opened = await open();
    close = opened.close;
    return opened;
  };
  const terminal: Terminal = {
    write: (text) => program.stdout.write(text),
    ask: program.stdin.isTTY ? (question) => askOnce(program, question) : null,
  };
  try {
    program.exitCode = await run(program.argv.slice(2), { open: openOnce, terminal });
  } catch (error) {
    program.stderr.write(explain(error));
    program.exitCode = 2;
  } finally {
    await close();
  }
}

async function askOnce({ stdin, stdout }: NodeJS.Process, question: string): Promise<string> {
  const lines = createInterface({ input: stdin, output: stdout });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
