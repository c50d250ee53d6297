const ESCAPED: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A text as it stands in TabSeparated, and between the quotes of a literal. */
export function escapeText(text: string): string {
  return text.replace(/[\\'\0\n\r\t]/g, (char) => ESCAPED[char] ?? char);
}

/** A string literal. */
export function quoteText(text: string): string {
  return `'${escapeText(text)}'`;
}
