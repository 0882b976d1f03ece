import { printable } from './printable';

/** An aligned table under a rule. Each cell is one line, and nothing in it acts on a terminal. */
export function renderColumns(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [titles, ...rows].map((row) => row.map((cell) => printable(firstLine(cell))));
  // The last column is not padded: a long reason would widen every line.
  const widths = titles.slice(1).map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [lines[0], lines[0]!.replaceAll(/[^ ]/g, '-'), ...lines.slice(1)].join('\n');
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
