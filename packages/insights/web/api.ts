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

/** Questions that panels show the answers of. */
export type PanelQuestion =
  | "overview"
  | "instance_hours"
  | "publishes"
  | "clients"
  | "publish"
  | "publish_timeline"
  | "time_to_open"
  | "publish_clients";

/** Every question that the page asks. */
type PageQuestion = PanelQuestion | "instances" | "freshness";

/** What the page is told before it asks anything. */
export interface Settings {
  /** Where reports are sent. */
  readonly reportingUrl: string;
  /** What each question gives, in words. */
  readonly abouts: Readonly<Record<PanelQuestion, string>>;
  /** Within how long the server answers a question, or refuses it. */
  readonly answerSecs: number;
}

/** A question that was not answered, in words for the person at the page. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }

  /** Whether the same question has no answer later either. */
  get isLasting(): boolean {
    return this.code === "wrong_question";
  }

  /** Whether the question costs the database much and gives nothing, now at least: a busy database gives up what it answers at another time. */
  get isCostly(): boolean {
    return this.code === "too_large";
  }
}

/** Values of a question's parameters. */
export type Parameters = Readonly<Record<string, string | number>>;

/** Where an answer can be had as CSV: of a list the whole one, whichever page is shown. */
export function csvUrl(question: PanelQuestion, parameters: Parameters): string {
  const { limit: _limit, offset: _offset, ...whole } = parameters;
  return `/api/questions/${question}.csv?${queryOf(whole)}`;
}

/** How long an answer is waited for beyond what the server may take, ms. */
const WAY_MS = 10_000;

/** @throws NoAnswer */
export async function ask(
  question: PageQuestion,
  parameters: Parameters,
  { answerSecs }: Settings,
  left: AbortSignal,
): Promise<Answer> {
  const path = `/api/questions/${question}?${queryOf(parameters)}`;
  return (await get(path, answerSecs * 1_000 + WAY_MS, left)) as Answer;
}

/** @throws NoAnswer */
export async function askSettings(left: AbortSignal): Promise<Settings> {
  return (await get("/api/settings", WAY_MS, left)) as Settings;
}

async function get(path: string, timeoutMs: number, left: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([left, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(path, { signal });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    throw refusalOf(response.status, text);
  } catch (error) {
    if (left.aborted || error instanceof NoAnswer) throw error;
    throw error instanceof SyntaxError
      ? new NoAnswer("unreadable", `What was answered cannot be read. ${AGAIN}`, error)
      : new NoAnswer("offline", `This page's server cannot be reached. ${AGAIN}`, error);
  }
}

const AGAIN = "It is tried again by itself.";

/** What a server says of why it does not answer; something between it and the page may have said it in its own way. */
function refusalOf(status: number, text: string): NoAnswer {
  try {
    const { code, error } = JSON.parse(text) as { readonly code?: string; readonly error?: string };
    if (code !== undefined && error !== undefined) return new NoAnswer(code, error);
  } catch {
    // No JSON: not what our server says.
  }
  return new NoAnswer("failed", `The server answered ${status}. ${AGAIN}`);
}

function queryOf(parameters: Parameters): string {
  return new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [name, String(value)]),
  ).toString();
}
