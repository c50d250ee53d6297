import process from "node:process";
import { explain } from "@push-reports/service-kit";
import { runDrain } from "./drain-command.js";

/** How long the last lines may take to leave, ms. */
const FLUSH_MS = 100;

const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => stopping.abort());
const terminal = {
  out: (text: string) => process.stdout.write(text),
  error: (text: string) => process.stderr.write(text),
  signal: stopping.signal,
};
// A client of Kafka that hangs on its way out must not keep a Job from ending.
const code = await runDrain(process.argv.slice(2), process.env, terminal).catch(
  (error: unknown) => {
    process.stderr.write(`drain could not look. ${explain(error)}`);
    return 2;
  },
);
setTimeout(() => process.exit(code), FLUSH_MS);
