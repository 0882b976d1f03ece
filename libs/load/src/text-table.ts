/** A column of a table: its title and what it shows of a row. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
}

/** Rows as an aligned table with Markdown's bars: readable in a terminal and in a document. Numbers stand to the right. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const body = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, c) => Math.max(3, title.length, ...body.map((line) => line[c]?.length ?? 0)));
  const isNumeric = columns.map((_, c) => body.every((line) => /^[-–]?[\d.,]*[%–]?$/.test(line[c] ?? '')));
  const pad = (text: string, c: number) => {
    const width = widths[c] as number;
    return isNumeric[c] ? text.padStart(width) : text.padEnd(width);
  };
  const render = (line: readonly string[]) => `| ${line.map(pad).join(' | ')} |`;
  const rule = `|${widths.map((width, c) => `${'-'.repeat(width + 1)}${isNumeric[c] ? ':' : '-'}`).join('|')}|`;
  return [render(columns.map(({ title }) => title)), rule, ...body.map(render)].join('\n');
}

/** A figure with about three digits; a dash where there is none. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
