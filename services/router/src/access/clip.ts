/** Foreign text for a log line or a message: no more than `length` characters of it, and none that steers a terminal. */
export function clip(text: string, length: number): string {
  const short = text.length <= length ? text : `${text.slice(0, length)}…`;
  return short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}
