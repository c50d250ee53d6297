/** A change of the built consumer that breaks one of the protocol's promises. */
export interface Mutant {
  readonly name: string;
  /** The end of the built file's URL. */
  readonly file: string;
  /** Text that the file must hold exactly once. */
  readonly find: string;
  readonly replace: string;
}

const dist = (file: string) => `/packages/consumer/dist/${file}.js`;

/** What the protocol would be without one of its parts. The fault suite must fail with each of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    // Without a token ClickHouse would still know equal bytes again, so each attempt gets a token of its own.
    name: "inserts under a name that does not last",
    file: dist("clickhouse-statements"),
    find: "quote(token)",
    replace: "quote(token + Math.random())",
  },
  {
    name: "commits no intent",
    file: dist("report-range"),
    find: "return JSON.stringify(mustLookUp ? { v: 2, ...intent, mustLookUp } : { v: 1, ...intent });",
    replace: 'return "";',
  },
  {
    name: "goes on with a range, and commits it, after its epoch",
    file: dist("kafka-assigned-partition"),
    find: "this.#ended.abort(error);",
    replace: "",
  },
  {
    name: "recovers from the committed offset only",
    file: dist("recover-partition"),
    find: "Math.max(position.committedOffset ?? 0, ledgerEnd ?? 0)",
    replace: "position.committedOffset ?? 0",
  },
  {
    name: "takes records that were sent again for new ones",
    file: dist("find-repeats"),
    find: "if (candidates.length === 0)",
    replace: "if (candidates.length >= 0)",
  },
  {
    name: "commits before it inserts",
    file: dist("ingest-range"),
    find: 'await observer.reached("set_aside", range);',
    replace:
      'await assigned.commit(range.last + 1, "");\n    await observer.reached("set_aside", range);',
  },
];
