import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoadPlan, LoadResult } from "./load-plan.js";
import { USUAL_POPULATION } from "./sdk-reports.js";

type Answer = { readonly result: LoadResult } | { readonly failure: string };

const PROGRAM = fileURLToPath(new URL("../load-main.js", import.meta.url));

/** The parts of a plan that differ from case to case. */
export type LoadOptions = Pick<LoadPlan, "port" | "processes"> & Partial<LoadPlan>;

const USUAL = {
  connections: 512,
  perSecond: null,
  warmUpMs: 2_000,
  windowMs: 8_000,
  population: USUAL_POPULATION,
  distinct: 20_000,
} as const;

/** Runs a load generator as a process of its own. @throws Error when it could not do its work. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const child = fork(PROGRAM, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const answered = once(child, "message") as Promise<[Answer]>;
  const exited = once(child, "exit");
  child.send({ ...USUAL, ...options } satisfies LoadPlan);
  const first = await Promise.race([answered, exited.then(() => null)]);
  await exited;
  const answer = first?.[0] ?? { failure: "the load generator ended without a result" };
  if ("failure" in answer) throw new Error(answer.failure);
  return answer.result;
}
