import { chart, chartWidth, hinted, line, pixelsPerColumn, text } from './chart';
import { type Explanation, outputTitle } from './explanation';
import type { Counterfactuals } from './found';
import type { Markup } from './markup';
import { figure, shortened } from './text';

const left = 16;
const ownAt = 300;
const firstAt = 400;
const columnWidth = 110;
const rowHeight = 24;
const mostColumns = Math.floor((chartWidth - firstAt + 14) / columnWidth);
const nameColumns = Math.floor((ownAt - 80 - left) / pixelsPerColumn);

/** Features that change in any of the rows, in their order. */
export function changedFeatures({ rows }: Counterfactuals): number[] {
  return [...new Set(rows.flatMap(({ changed }) => changed))].toSorted((a, b) => a - b);
}

/** What would have to be different: features that change, as they are and as they would be, and what the model then says. */
export function counterfactualTable(explanation: Explanation, found: Counterfactuals): string {
  const { features, outputs } = explanation;
  const shown = found.rows.slice(0, mostColumns);
  const kept = changedFeatures({ ...found, rows: shown });
  const others = features.length - kept.length;
  const top = 72;
  const at = (column: number) => firstAt + column * columnWidth + 80;
  const bottom = top + (kept.length + 1) * rowHeight;
  const title = `Nearby rows for which ${found.wanted}`;
  const end = { 'text-anchor': 'end' };
  const body = kept.flatMap((feature, i) => {
    const { name = '', value = '' } = features[feature] ?? {};
    const y = top + (i + 1) * rowHeight;
    return [
      line(left, y - 16, chartWidth - left, y - 16),
      hinted(left, y, shortened(name, nameColumns), name),
      text(ownAt + 80, y, value, { ...end, class: 'dim' }),
      ...shown.map(({ values, changed }, column) =>
        cell(at(column), y, values[feature], value, changed.includes(feature)),
      ),
    ];
  });
  const [output] = outputs;
  const said = shown.map(({ output: all }) => figure(all[output?.index ?? 0] ?? Number.NaN));
  const words = shown.map((row, i) => {
    const changes = row.changed.map((feature) => {
      const { name = '', value = '' } = features[feature] ?? {};
      return `${name} ${value} to ${figure(row.values[feature] ?? Number.NaN)}`;
    });
    return `${i + 1}: ${changes.join(', ')}`;
  });
  const note = unchangedText(others);
  const none = found.rows.length === 0 ? 'None was found.' : note;
  return chart(bottom + rowHeight + 16, title, `${words.join('. ')}. ${none}`, [
    hinted(16, 22, shortened(title, 90), title, { class: 'head' }),
    text(16, 40, none, { class: 'dim' }),
    text(ownAt + 80, top, 'the row', { ...end, class: 'dim' }),
    ...shown.map((_, column) => text(at(column), top, `row ${column + 1}`, { ...end, class: 'dim' })),
    ...body,
    line(left, bottom - 16, chartWidth - left, bottom - 16, { class: 'strong' }),
    ...(output ? lastRow(bottom, outputTitle(output), figure(output.outputValue), said, at) : []),
    ...lastRow(
      bottom + rowHeight,
      'distance',
      '0',
      shown.map(({ distance }) => figure(distance, 3)),
      at,
    ),
  ]);
}

/** What is said of the features that no row changes. */
export function unchangedText(others: number): string {
  if (others === 0) return 'All features change.';
  return others === 1 ? 'One other feature stays as it is.' : `${others} other features stay as they are.`;
}

/** A value that is another has a mark which way it went. */
function cell(x: number, y: number, value: number | undefined, own: string, isChanged: boolean): Markup {
  if (value === undefined) return text(x, y, '', {});
  const before = Number(own);
  if (!isChanged) return text(x, y, '·', { 'text-anchor': 'end', class: 'dim' });
  const isUp = Number.isNaN(before) || value >= before;
  return text(x, y, `${isUp ? '▲' : '▼'} ${figure(value)}`, {
    ...{ 'text-anchor': 'end', 'font-weight': 600 },
    class: isUp ? 'up' : 'down',
  });
}

function lastRow(
  y: number,
  name: string,
  own: string,
  values: readonly string[],
  at: (column: number) => number,
): Markup[] {
  return [
    hinted(left, y, shortened(name, nameColumns), name, { class: 'dim' }),
    text(ownAt + 80, y, own, { 'text-anchor': 'end', class: 'dim' }),
    ...values.map((value, column) => text(at(column), y, value, { 'text-anchor': 'end' })),
  ];
}
