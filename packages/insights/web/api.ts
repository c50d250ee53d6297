/** An answer of the database: rows by column, and how it was asked. */
export interface Answer {
  readonly sql: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** A row whose cells are reached by the names of their columns. */
export class Row {
  readonly #columns: readonly string[];
  readonly #cells: Answer["rows"][number];

  constructor(columns: readonly string[], cells: Answer["rows"][number]) {
    this.#columns = columns;
    this.#cells = cells;
  }

  text(column: string): string {
    return String(this.#cell(column) ?? "");
  }

  /** 64-bit numbers come as text. */
  number(column: string): number | null {
    const cell = this.#cell(column);
    return cell === null || cell === "" ? null : Number(cell);
  }

  #cell(column: string): string | number | boolean | null {
    const index = this.#columns.indexOf(column);
    if (index < 0) throw new Error(`The answer has no column ${column}`);
    return this.#cells[index] ?? null;
  }
}

export const rowsOf = ({ columns, rows }: Answer) => rows.map((cells) => new Row(columns, cells));

/** What each question gives, in words, by its name. */
export type Abouts = Readonly<
  Record<
    | "overview"
    | "instance_hours"
    | "publishes"
    | "clients"
    | "publish"
    | "publish_timeline"
    | "time_to_open"
    | "publish_clients",
    string
  >
>;

/** What the page is told before it asks anything. */
export interface Settings {
  /** Where reports are sent. */
  readonly reportingUrl: string;
  readonly abouts: Abouts;
}

/** A question that was not answered, in words for the person at the page. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Values of a question's parameters. */
export type Parameters = Readonly<Record<string, string | number>>;

/** Where an answer can be had as CSV. */
export function csvUrl(question: string, parameters: Parameters): string {
  return `/api/questions/${question}.csv?${queryOf(parameters)}`;
}

/** How long an answer is waited for, ms; longer than the server lets the database work. */
const TIMEOUT_MS = 60_000;

/** @throws NoAnswer */
export async function ask(
  question: string,
  parameters: Parameters,
  left: AbortSignal,
): Promise<Answer> {
  return (await get(`/api/questions/${question}?${queryOf(parameters)}`, left)) as Answer;
}

/** @throws NoAnswer */
export async function askSettings(left: AbortSignal): Promise<Settings> {
  return (await get("/api/settings", left)) as Settings;
}

async function get(path: string, left: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([left, AbortSignal.timeout(TIMEOUT_MS)]);
  const response = await fetch(path, { signal }).catch((error: unknown) => {
    if (left.aborted) throw error;
    throw new NoAnswer(
      "offline",
      "This page's server cannot be reached. It is tried again by itself.",
    );
  });
  if (response.ok) return await response.json();
  const { code, error } = (await response.json().catch(() => ({}))) as {
    code?: string;
    error?: string;
  };
  throw new NoAnswer(code ?? "failed", error ?? `The server answered ${response.status}.`);
}

function queryOf(parameters: Parameters): string {
  return new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [name, String(value)]),
  ).toString();
}
