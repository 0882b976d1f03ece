import {
  type Anchor,
  type Counterfactuals,
  type Curve,
  type ExplainedOutput,
  type Explanation,
  between,
  changedFeatures,
  columnsOf,
  curvesOf,
  figure,
  outputTitle,
  percent,
  predicateText,
  shortened,
  unchangedText,
} from '@shoal/report';
import { type TerminalStyle, ascii, clean, padded, paint } from './terminal-text';

const nameColumns = 32;
const mostCurves = 24;

/** A rule, line by line, and what it is worth. */
export function renderRule({ features }: Explanation, anchor: Anchor, style: TerminalStyle): string {
  const words = anchor.predicates.map((one) => ascii(clean(predicateText(one, features[one.feature]?.name ?? ''))));
  const rule = words.length > 0 ? words : ['whatever the row is'];
  const lines = rule.map((word, at) => `${paint(at === 0 ? 'if  ' : 'and ', 'dim', style)}  ${word}`);
  const bounds = `bounds ${percent(anchor.lower)} to ${percent(anchor.upper)}`;
  return [
    ...lines,
    `${paint('then', 'dim', style)}  ${paint(clean(anchor.answer), 'bold', style)}`,
    '',
    `right for ${percent(anchor.precision)} of ${anchor.samples} samples, ${bounds}; holds for ${percent(anchor.coverage)}`,
  ].join('\n');
}

/** A table of rows: what changes, and what the model then says. */
export function renderCounterfactuals(
  { features, outputs }: Explanation,
  found: Counterfactuals,
  style: TerminalStyle,
): string {
  const head = paint(`nearby rows for which ${clean(found.wanted)}`, 'bold', style);
  if (found.rows.length === 0) return `${head}\nnone`;
  const kept = changedFeatures(found);
  const names = kept.map((feature) => shortened(clean(features[feature]?.name ?? ''), nameColumns));
  const index = outputs[0]?.index ?? 0;
  const own = kept.map((feature) => clean(features[feature]?.value ?? ''));
  const said = outputs[0] ? shortened(clean(outputTitle(outputs[0])), nameColumns) : '';
  const columns = [
    ['', ...names, said, 'distance'],
    ['the row', ...own, ascii(figure(outputs[0]?.outputValue ?? Number.NaN)), '0'],
    ...found.rows.map(({ values, changed, output, distance }, at) => [
      `row ${at + 1}`,
      ...kept.map((feature) => (changed.includes(feature) ? ascii(figure(values[feature] ?? Number.NaN)) : '·')),
      ascii(figure(output[index] ?? Number.NaN)),
      ascii(figure(distance, 3)),
    ]),
  ];
  const widths = columns.map((column) => column.reduce((most, text) => Math.max(most, columnsOf(text)), 0));
  const rows = Array.from({ length: kept.length + 3 }, (_, line) =>
    columns
      .map((column, at) => {
        const cell = column[line] ?? '';
        const width = widths[at] ?? 0;
        const placed = at === 0 ? padded(cell, width) : ' '.repeat(width - columnsOf(cell)) + cell;
        const isNew = at > 1 && line > 0 && line <= kept.length && cell !== '·';
        if (line === 0 || line > kept.length) return paint(placed, 'dim', style);
        return isNew ? paint(placed, 'bold', style) : placed;
      })
      .join('  ')
      .trimEnd(),
  );
  const others = features.length - kept.length;
  return [head, ...rows, paint(unchangedText(others), 'dim', style)].join('\n');
}

const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** A line for each feature: the curve in little, on one scale, and where the row is on it. */
export function renderCurves(explanation: Explanation, output: ExplainedOutput, style: TerminalStyle): string {
  const all = curvesOf(explanation, output);
  const shown = all.slice(0, mostCurves);
  const names = shown.map(({ feature }) => shortened(clean(explanation.features[feature]?.name ?? ''), nameColumns));
  const ends = shown.map(({ grid }) => [figure(grid[0] ?? Number.NaN), figure(grid.at(-1) ?? Number.NaN)].map(ascii));
  const known = shown.flatMap(({ values }) => values.filter((value) => Number.isFinite(value)));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const widest = (texts: readonly (string | undefined)[]) =>
    texts.reduce((most, text = '') => Math.max(most, columnsOf(text)), 0);
  const [nameWidth, fromWidth, toWidth] = [names, ends.map(([from]) => from), ends.map(([, to]) => to)].map(widest) as [
    number,
    number,
    number,
  ];
  const sparks = shown.map((curve) => sparkline(curve, low, high));
  const sparkWidth = widest(sparks);
  const lines = shown.map((curve, at) => {
    const [from = '', to = ''] = ends[at] ?? [];
    const spark = paint(padded(sparks[at] as string, sparkWidth), 'down', style);
    return `${padded(names[at] as string, nameWidth)}  ${from.padStart(fromWidth)} ${spark} ${to.padEnd(toWidth)}  ${spanOf(curve)}`;
  });
  const scale = `lowest ▁ ${ascii(figure(low))}, highest █ ${ascii(figure(high))}`;
  const omitted = all.length > shown.length ? `; ${all.length - shown.length} more move it less` : '';
  return [
    paint(clean(outputTitle(output)), 'bold', style),
    paint(`output ${ascii(figure(output.outputValue))}; ${scale}${omitted}`, 'dim', style),
    ...lines,
  ].join('\n');
}

function sparkline({ values }: Curve, low: number, high: number): string {
  return values
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      const step = high > low ? Math.round(((value - low) / (high - low)) * (heights.length - 1)) : 0;
      return heights[step] ?? ' ';
    })
    .join('');
}

/** From its least to its greatest, and where the row is. */
function spanOf({ grid, values, rowValues, rowAt }: Curve): string {
  const known = values.filter((value) => Number.isFinite(value));
  const span = `${ascii(figure(Math.min(...known), 3))} to ${ascii(figure(Math.max(...known), 3))}`;
  const own = between(grid, rowValues.length > 0 ? rowValues : values, rowAt);
  return `${span}; this row, at ${ascii(figure(rowAt))}: ${ascii(figure(own, 3))}`;
}
