/** Where in a text something is, both counted from 1; the column in UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the place of a parse error for a parser that tells no column: the shortest prefix of `text` on which it fails in
 * the same way ends with the offending token. `failure` parses a text and returns its error message, or undefined.
 *
 * Of a parser that expected something, a prefix that merely ends too soon says the same as the whole: so `expected`, a token
 * that it would have taken, is also put behind each prefix. Where that mends the whole text, the place is its end.
 * Takes about 2 log2(length) parses.
 */
export function errorPosition(
  text: string,
  failure: (text: string) => string | undefined,
  message: string,
  expected: string | undefined,
): TextPosition {
  const fails = (end: number): boolean => {
    const prefix = text.slice(0, end);
    return failure(prefix) === message && (expected === undefined || failure(`${prefix} ${expected}`) === message);
  };
  if (!fails(text.length)) return positionOf(text, text.length);
  let shortest = text.length;
  let longer = 0;
  while (longer < shortest) {
    const middle = (longer + shortest) >> 1;
    if (fails(middle)) shortest = middle;
    else longer = middle + 1;
  }
  return positionOf(text, startOfToken(text, shortest));
}

/** Steps back from the end of a token to its first character. */
function startOfToken(text: string, end: number): number {
  let start = Math.max(0, end - 1);
  while (start > 0 && /[\w.+-]/.test(text.charAt(start)) && /[\w.+-]/.test(text.charAt(start - 1))) start--;
  return start;
}

function positionOf(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
