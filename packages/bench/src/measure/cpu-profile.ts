import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A frame of a profile, as V8 writes it. */
interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** What `--cpu-prof` writes, in so far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Time before each sample, µs. */
  readonly timeDeltas: readonly number[];
}

/** A step of the work, and the files whose code it is. */
export interface Step {
  readonly name: string;
  readonly files: RegExp;
}

/** Where the time went. */
export interface ProfileSummary {
  /** Share of the busy time by step, 0 to 1, greatest first. */
  readonly steps: readonly (readonly [name: string, share: number])[];
  /** The same by function, as `name file:line`, without what it calls. */
  readonly functions: readonly (readonly [name: string, share: number])[];
}

const IDLE = "(idle)";
/** What V8 names itself. */
const OF_THE_ENGINE: ReadonlyMap<string, string> = new Map([
  ["(garbage collector)", "garbage collection"],
  ["(program)", "system calls and the event loop"],
]);
const REST = "Node.js: sockets, streams, HTTP";

/** The profile in a folder that only one process wrote to. @throws Error when there is none. */
export function readProfile(folder: string): CpuProfile {
  const file = readdirSync(folder).find((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) throw new Error("The process has written no profile");
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
}

/** Gives each sample to the step whose code is nearest to it on the stack: what Node.js does for a step is the step's. */
export function summarize(profile: CpuProfile, steps: readonly Step[]): ProfileSummary {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const stepOfNode = new Map<number, string>();
  const stepOf = (id: number): string => {
    const known = stepOfNode.get(id);
    if (known !== undefined) return known;
    const frame = nodes.get(id)?.callFrame;
    const own =
      OF_THE_ENGINE.get(frame?.functionName ?? "") ??
      steps.find(({ files }) => files.test(frame?.url ?? ""))?.name;
    const parent = parents.get(id);
    const step = own ?? (parent === undefined ? REST : stepOf(parent));
    stepOfNode.set(id, step);
    return step;
  };
  const bySteps = new Map<string, number>();
  const byFunctions = new Map<string, number>();
  let busy = 0;
  profile.samples.forEach((id, index) => {
    const node = nodes.get(id);
    if (node === undefined || node.callFrame.functionName === IDLE) return;
    const micros = profile.timeDeltas[index] ?? 0;
    busy += micros;
    add(bySteps, stepOf(id), micros);
    add(byFunctions, nameOf(node), micros);
  });
  return { steps: shares(bySteps, busy), functions: shares(byFunctions, busy) };
}

function nameOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame;
  const file = url.replace(/^.*\/(?:node_modules|packages)\//, "");
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

function shares(sums: ReadonlyMap<string, number>, total: number) {
  return [...sums]
    .map(([name, micros]) => [name, micros / total] as const)
    .toSorted(([, a], [, b]) => b - a);
}
