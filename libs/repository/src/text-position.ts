/** Where in a text something is, both counted from 1; the column in UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the place of a parse error for a parser that tells no column: the shortest prefix of `text` on which it fails in
 * the same way ends with the offending token. `failure` parses a prefix and returns its error message, or undefined.
 * Takes log2(length) parses. Undefined when the text does not fail so.
 */
export function errorPosition(
  text: string,
  failure: (prefix: string) => string | undefined,
  message: string,
): TextPosition | undefined {
  if (failure(text) !== message) return undefined;
  let fails = text.length;
  let passes = 0;
  while (passes < fails) {
    const middle = (passes + fails) >> 1;
    if (failure(text.slice(0, middle)) === message) fails = middle;
    else passes = middle + 1;
  }
  return positionOf(text, startOfToken(text, fails));
}

/** Steps back from the end of a token to its first character. */
function startOfToken(text: string, end: number): number {
  let start = Math.max(0, end - 1);
  while (start > 0 && /[\w.+-]/.test(text.charAt(start)) && /[\w.+-]/.test(text.charAt(start - 1))) start--;
  return start;
}

function positionOf(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
