import {
  calledFunctions,
  canonicalWords,
  formatOf,
  hasKeyword,
  settingsOf,
} from "./canonical-words.js";
import { SqlFault } from "./sql-fault.js";

/** What a statement says of itself, once it is known to be one that may be looked at. */
export interface StatementFacts {
  /** The FORMAT that it asks for, or null. */
  readonly format: string | null;
  /** Settings that it and its subqueries bring along. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

/** Roots of syntax trees that only read. */
const ROOTS: ReadonlySet<string> = new Set([
  "DescribeQuery",
  "ExistsDatabaseQuery",
  "ExistsDictionaryQuery",
  "ExistsTableQuery",
  "ExistsViewQuery",
  "Explain",
  "SelectIntersectExceptQuery",
  "SelectWithUnionQuery",
  "ShowColumns",
  "ShowCreateDatabaseQuery",
  "ShowCreateDictionaryQuery",
  "ShowCreateTableQuery",
  "ShowCreateViewQuery",
  "ShowEngineQuery",
  "ShowFunctions",
  "ShowProcesslistQuery",
  "ShowSetting",
  "ShowTables",
]);

/** Every other node that reading needs. What is not named here is refused: writes, whatever runs beside, and whatever comes later. */
const NODES: ReadonlySet<string> = new Set([
  "ArrayJoin",
  "Asterisk",
  "ColumnsApplyTransformer",
  "ColumnsExceptTransformer",
  "ColumnsListMatcher",
  "ColumnsRegexpMatcher",
  "ColumnsReplaceTransformer",
  "ColumnsReplaceTransformer::Replacement",
  "ColumnsTransformerList",
  "ExpressionList",
  "Function",
  "Identifier",
  "InterpolateElement",
  "Literal",
  "OrderByElement",
  "QualifiedAsterisk",
  "QualifiedColumnsListMatcher",
  "QualifiedColumnsRegexpMatcher",
  "SampleRatio",
  "SelectQuery",
  "Set",
  "Subquery",
  "TableExpression",
  "TableIdentifier",
  "TableJoin",
  "TablesInSelectQuery",
  "TablesInSelectQueryElement",
  "WindowDefinition",
  "WindowListElement",
  "WithElement",
]);

/** Table functions that make their rows from nothing. All others reach files, processes, other servers or other tables. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  "generate_series",
  "generateseries",
  "null",
  "numbers",
  "numbers_mt",
  "primes",
  "sqlstandardvalues",
  "values",
  "zeros",
  "zeros_mt",
]);

/**
 * Functions that read files or models, ask other machines, look into the process, write the log, or only waste time. A test
 * names every function that the engine has, so that a new one is judged before it can be called.
 */
const FORBIDDEN_FUNCTION =
  /^(address.*|ai[a-z]+|catboostevaluate|demangle|dict(get|has|isin).*|evalmlmethod|file|filesystem.*|generateserialid|getclienthttpheader|globalvariable|joinget.*|logtrace|naivebayesclassifier.*|region.*|showcertificate|sleep.*|transaction.*|zookeeper.*)$/;

/** Tables of `system` that signal every thread of the process, read certificates, walk disks or ask other machines. */
const FORBIDDEN_SYSTEM_TABLE =
  /^(azure_.*|certificates|clusters|distributed_.*|dns_cache|fail_points|filesystem_.*|iceberg_.*|jemalloc_profile_text|kafka_consumers|models|named_collections|remote_data_paths|rocksdb|s3_?queue_.*|stack_trace|symbols|zookeeper.*)$/;

const SYSTEM = "system";
const CATALOGUES = ["information_schema", "INFORMATION_SCHEMA"];

/** Whether a function of the engine may be called here. */
function isCallable(name: string): boolean {
  return !FORBIDDEN_FUNCTION.test(name.toLowerCase());
}

/** Databases that can be asked: the project's own, and what describes it. */
export function readableDatabases(own: string): readonly string[] {
  return [own, SYSTEM, ...CATALOGUES];
}

/**
 * Takes one statement out of what was sent. A semicolon is refused wherever it stands, since only the engine knows what is text.
 * @throws SqlFault
 */
export function singleStatement(sql: string): string {
  const text = sql.trim().replace(/\s*;\s*$/, "");
  if (text === "") throw new SqlFault("SYNTAX_ERROR", "Syntax error: the query is empty");
  if (text.includes(";"))
    throw new SqlFault(
      "SYNTAX_ERROR",
      "Syntax error (Multi-statements are not allowed): a semicolon may only stand at the end, not even in text; pass text with one as a parameter",
    );
  if (text.includes("\0"))
    throw new SqlFault("SYNTAX_ERROR", "Syntax error: the query has a NUL character");
  return text;
}

/**
 * First look, at the statement as the engine's `formatQuery` writes it: every function is named in it, also where a syntax tree
 * shows none.
 * @throws SqlFault for functions that may not be called and clauses that cannot be judged.
 */
export function judgeWords(formatted: string): StatementFacts {
  const words = canonicalWords(formatted);
  const forbidden = calledFunctions(words).find((name) => !isCallable(name));
  if (forbidden !== undefined) throw denied(`The function ${forbidden} cannot be called here`);
  if (hasKeyword(words, "OUTFILE")) throw denied("INTO OUTFILE is not possible here");
  if (words[0]?.value === "SHOW" && hasKeyword(words, "WHERE"))
    throw denied("SHOW takes LIKE here, not WHERE; or select from the tables of system");
  const settings = settingsOf(words);
  if (settings === null)
    throw new SqlFault("READONLY", "SETTINGS takes numbers, texts, true and false here");
  return { format: formatOf(words), settings };
}

/**
 * Second look, at the lines of its `EXPLAIN AST`: only nodes, table functions and tables that are known to read.
 * @param current the database that names without one belong to.
 * @throws SqlFault
 */
export function judgeTree(lines: readonly string[], own: string, current: string): void {
  const nodes = lines.filter((line) => line.trim() !== "").map(nodeOf);
  if (!ROOTS.has(nodes[0]?.kind ?? ""))
    throw denied(
      "Only SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS can be asked here, which is read only",
    );
  nodes.forEach((node, index) => {
    if (!ROOTS.has(node.kind) && !NODES.has(node.kind))
      throw denied(`${node.kind} is not possible here, which is read only`);
    // A file's name stands below the root; a root has no other text of its own.
    if (node.depth === 1 && node.kind === "Literal" && node.name.startsWith("'"))
      throw denied("INTO OUTFILE is not possible here");
    if (node.kind === "Function") judgeTableFunction(node, nodes[index - 1], own);
    if (node.kind === "TableIdentifier") judgeTable(node.name, own, current);
    // The right side of IN may be a table, and is written like a column.
    if (node.kind === "Identifier") judgeSystemTable(node.name, current);
  });
}

/** One line of `EXPLAIN AST`. */
interface AstNode {
  readonly depth: number;
  readonly kind: string;
  readonly name: string;
}

function nodeOf(line: string): AstNode {
  const [, indent = "", kind = "", rest = ""] = /^( *)(\S+) ?(.*)$/s.exec(line) ?? [];
  return { depth: indent.length, kind, name: rest.replace(/ ?\((children|alias) .*$/s, "") };
}

function judgeTableFunction(
  { name, depth }: AstNode,
  before: AstNode | undefined,
  own: string,
): void {
  const isInFrom = before?.kind === "TableExpression" && before.depth === depth - 1;
  // What belongs to a database is a view with parameters.
  if (!isInFrom || name.startsWith(`${own}.`) || TABLE_FUNCTIONS.has(name.toLowerCase())) return;
  throw denied(
    `The table function ${name} cannot be called here; a view with parameters needs its database: ${own}.${name}`,
  );
}

function judgeTable(name: string, own: string, current: string): void {
  const database = name.includes(".") ? name.slice(0, name.indexOf(".")) : current;
  if (!readableDatabases(own).includes(database))
    throw denied(`Only tables of ${own}, ${SYSTEM} and ${CATALOGUES[0]} can be read here`);
  judgeSystemTable(name, current);
}

function judgeSystemTable(name: string, current: string): void {
  const table = name.startsWith(`${SYSTEM}.`)
    ? name.slice(SYSTEM.length + 1)
    : current === SYSTEM
      ? name
      : "";
  if (FORBIDDEN_SYSTEM_TABLE.test(table))
    throw denied(`The table ${SYSTEM}.${table} cannot be read here`);
}

function denied(message: string): SqlFault {
  return new SqlFault("ACCESS_DENIED", message);
}
