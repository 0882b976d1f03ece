/** A number for people: so many significant digits; a true minus sign. */
export function figure(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'unknown';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e6)
      ? value.toExponential(Math.min(2, digits - 1))
      : String(Number(value.toPrecision(digits)));
  return text.replaceAll('-', '−');
}

/** The same, with its sign. */
export function signed(value: number): string {
  return value > 0 ? `+${figure(value)}` : figure(value);
}

/** How many columns of a fixed-width font a text takes: two for East Asian and pictorial characters, none for marks on others. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += widthOf(char);
  return columns;
}

/** At most `columns` columns of a text: the middle gives way, since names often differ at their ends. */
export function shortened(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const chars = Array.from(text);
  const tail = taken(chars.toReversed(), Math.floor((columns - 1) / 2)).toReversed();
  const head = taken(chars, columns - 1 - columnsOf(tail.join('')));
  return `${head.join('')}…${tail.join('')}`;
}

function taken(chars: readonly string[], columns: number): string[] {
  const out: string[] = [];
  let left = columns;
  for (const char of chars) {
    left -= widthOf(char);
    if (left < 0) break;
    out.push(char);
  }
  return out;
}

function widthOf(char: string): number {
  if (/^\p{Mark}$/u.test(char)) return 0;
  return wide.test(char) ? 2 : 1;
}

const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]$/u;
