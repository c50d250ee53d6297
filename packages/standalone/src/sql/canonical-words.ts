/** A piece of a statement as ClickHouse's `formatQuery` writes it: keywords in capitals, no comments, names quoted where needed. */
export interface Word {
  /** `name`: a bare word. `quoted`: a name in backquotes. `text`: a string literal. `sign`: any other character. */
  readonly kind: "name" | "quoted" | "text" | "number" | "sign";
  /** Names and texts without their quotes, escapes as they stand. */
  readonly value: string;
}

const PIECE =
  /'(?<text>(?:[^'\\]|\\.)*)'|`(?<quoted>(?:[^`\\]|\\.)*)`|(?<name>[A-Za-z_]\w*)|(?<number>\d[\w.]*)|(?<sign>\S)/gs;

/** Splits a statement that the engine itself has formatted. Blanks are dropped. */
export function canonicalWords(statement: string): readonly Word[] {
  return [...statement.matchAll(PIECE)].flatMap(({ groups }) =>
    Object.entries(groups ?? {}).flatMap(([kind, value]) =>
      value === undefined ? [] : [{ kind: kind as Word["kind"], value }],
    ),
  );
}

/** Names of all functions that a statement calls, wherever they stand, in lower case. */
export function calledFunctions(words: readonly Word[]): readonly string[] {
  return words.flatMap((word, index) => {
    const isName = word.kind === "name" || word.kind === "quoted";
    const isCall = isSign(words[index + 1], "(") || isKeyword(words[index - 1], "APPLY");
    return isName && isCall ? [word.value.toLowerCase()] : [];
  });
}

/** The FORMAT that a statement ends with, or null. */
export function formatOf(words: readonly Word[]): string | null {
  const at = words.findLastIndex(
    (word, index) => isKeyword(word, "FORMAT") && words[index + 1]?.kind === "name",
  );
  if (at === -1) return null;
  const after = words[at + 2];
  return after === undefined || isKeyword(after, "SETTINGS")
    ? (words[at + 1]?.value ?? null)
    : null;
}

/** What may follow a SETTINGS clause, besides the end. */
const AFTER_SETTINGS: ReadonlySet<string> = new Set([
  ")",
  "EXCEPT",
  "FORMAT",
  "INTERSECT",
  "UNION",
]);

/**
 * The settings that a statement and its subqueries bring along: all `name = value` pairs of all SETTINGS clauses, or null when one of the
 * clauses has another form.
 */
export function settingsOf(
  words: readonly Word[],
): readonly (readonly [name: string, value: string])[] | null {
  const settings: (readonly [string, string])[] = [];
  for (let start = 0; start < words.length; start += 1) {
    if (!isKeyword(words[start], "SETTINGS") || isShowSettings(words, start)) continue;
    for (let at = start + 1; ; at += 4) {
      const [name, equals, value, next] = words.slice(at, at + 4);
      if (name?.kind !== "name" || !isSign(equals, "=") || !isLiteral(value)) return null;
      settings.push([name.value, value.value.replace(/\\(.)/gs, "$1")]);
      if (isSign(next, ",")) continue;
      if (next !== undefined && !AFTER_SETTINGS.has(next.value)) return null;
      break;
    }
  }
  return settings;
}

/** Whether a bare keyword stands anywhere in a statement. */
export function hasKeyword(words: readonly Word[], keyword: string): boolean {
  return words.some((word) => isKeyword(word, keyword));
}

/** `SHOW SETTINGS LIKE …` has none of its own. */
function isShowSettings(words: readonly Word[], at: number): boolean {
  return isKeyword(words[0], "SHOW") && (at === 1 || (at === 2 && isKeyword(words[1], "CHANGED")));
}

function isLiteral(word: Word | undefined): word is Word {
  return (
    word?.kind === "number" || word?.kind === "text" || /^(true|false)$/.test(word?.value ?? "")
  );
}

function isKeyword(word: Word | undefined, keyword: string): boolean {
  return word?.kind === "name" && word.value === keyword;
}

function isSign(word: Word | undefined, sign: string): boolean {
  return word?.kind === "sign" && word.value === sign;
}
