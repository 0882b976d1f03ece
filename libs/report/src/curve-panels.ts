import { chart, chartWidth, hinted, line, pixelsPerColumn, text } from './chart';
import { type ExplainedOutput, type Explanation, outputTitle } from './explanation';
import type { Curve } from './found';
import { type Markup, element } from './markup';
import { interval95 } from './bars';
import { finite } from './ranked';
import { type Scale, scaleOver } from './scale';
import { figure, shortened } from './text';

const columns = 2;
const panelWidth = (chartWidth - 32) / columns;
const panelHeight = 196;
const inset = { left: 58, right: 14, top: 26, bottom: 30 };
const nameColumns = Math.floor((panelWidth - 20) / pixelsPerColumn);
/** Rows' own curves that can be told apart. */
const mostIndividual = 60;

/** The curves of one output, those that move it most first. */
export function curvesOf({ curves = [] }: Explanation, { output, index }: ExplainedOutput): Curve[] {
  const rangeOf = ({ values }: Curve) => {
    const known = values.filter((value) => Number.isFinite(value));
    return Math.max(...known) - Math.min(...known);
  };
  const own = curves.filter((curve) => curve.output === output && curve.index === index);
  return own.toSorted((a, b) => rangeOf(b) - rangeOf(a) || a.feature - b.feature);
}

/** How an output follows each feature, side by side on one scale: the mean, its 95 % interval, and the explained row's own curve. */
export function curvePanels(explanation: Explanation, output: ExplainedOutput, most = 12): string {
  const all = curvesOf(explanation, output);
  const shown = all.slice(0, most);
  const hasRow = shown.some(({ rowValues }) => rowValues.length > 0);
  const heights = scaleOver(
    shown.flatMap((curve) => valuesOf(curve)),
    0,
    1,
  );
  const title = `${outputTitle(output)}: how it follows each feature`;
  const own = hasRow ? ' Dashed: this row alone; the dot: where it is.' : ' The dot: where this row is.';
  const omitted = all.length > shown.length ? ` The ${shown.length} of ${all.length} that move it most.` : '';
  const note = `Line and band: mean over the background, 95 % interval.${own}${omitted}`;
  const nameOf = ({ feature }: Curve) => explanation.features[feature]?.name ?? '';
  const words = shown.map((curve) => {
    const [first, last] = [curve.grid[0] ?? 0, curve.grid.at(-1) ?? 0];
    const [from, to] = [curve.values[0] ?? Number.NaN, curve.values.at(-1) ?? Number.NaN];
    return `${nameOf(curve)} from ${figure(first)} to ${figure(last)}: ${figure(from)} to ${figure(to)}`;
  });
  const rows = Math.max(1, Math.ceil(shown.length / columns));
  return chart(56 + rows * panelHeight + 8, title, `${note} ${words.join('; ')}.`, [
    text(16, 22, title, { class: 'head' }),
    text(16, 40, note, { class: 'dim' }),
    ...shown.flatMap((curve, at) => {
      const [x, y] = [16 + (at % columns) * panelWidth, 56 + Math.floor(at / columns) * panelHeight];
      return panel(curve, nameOf(curve), x, y, heights);
    }),
  ]);
}

/** All that must be within the panels. */
function valuesOf({ values, standardErrors, rowValues, individual, grid }: Curve): number[] {
  const bands = values.flatMap((value, at) => {
    const half = interval95 * finite(standardErrors[at]);
    return [value - half, value + half];
  });
  return [...bands, ...rowValues, ...individual.slice(0, mostIndividual * grid.length)].filter((value) =>
    Number.isFinite(value),
  );
}

function panel(curve: Curve, name: string, x: number, y: number, heights: Scale): Markup[] {
  const { grid, values, standardErrors, rowValues, rowAt, individual } = curve;
  const [left, right] = [x + inset.left, x + panelWidth - inset.right];
  const [top, bottom] = [y + inset.top, y + panelHeight - inset.bottom];
  const across = scaleOver([...grid, ...(Number.isFinite(rowAt) ? [rowAt] : [])], left, right);
  const up = (value: number) => bottom - heights.at(value) * (bottom - top);
  const place = (value: number, at: number) => `${n(across.at(grid[at] as number))} ${n(up(value))}`;
  const path = (all: readonly number[]) => lineOf(all, place);
  const half = values.map((_, at) => interval95 * finite(standardErrors[at]));
  const upper = values.map((value, at) => value + (half[at] as number));
  const lower = values.map((value, at) => value - (half[at] as number));
  const curves = Array.from({ length: Math.min(mostIndividual, individual.length / grid.length) }, (_, row) =>
    stroke(path(individual.slice(row * grid.length, (row + 1) * grid.length)), 'var(--dim)', 0.6, 'stroke-opacity:.35'),
  );
  const dots = grid.length === 1 ? [dot(across.at(grid[0] as number), up(values[0] ?? Number.NaN), 'var(--down)')] : [];
  const own = rowValues.length > 0 ? rowValues : values;
  return [
    hinted(left, y + 14, shortened(name, nameColumns), name, { 'font-weight': 600 }),
    ...heights.ticks.flatMap((tick) => [
      line(left, up(tick), right, up(tick)),
      text(left - 6, up(tick) + 4, figure(tick, 3), { 'text-anchor': 'end', class: 'dim' }),
    ]),
    ...ticksOf(across).map((tick) =>
      text(across.at(tick), bottom + 16, figure(tick, 3), { 'text-anchor': 'middle', class: 'dim' }),
    ),
    // Where the curve was looked at.
    ...grid.map((value) => line(across.at(value), bottom, across.at(value), bottom + 4, { class: 'strong' })),
    ...curves,
    element('path', { d: bandOf(upper, lower, place), style: 'fill:var(--down);fill-opacity:.18;stroke:none' }),
    stroke(path(values), 'var(--down)', 2),
    ...(rowValues.length > 0 ? [stroke(path(rowValues), 'var(--up)', 1.5, 'stroke-dasharray:5 3')] : []),
    ...dots,
    ...rowMark(rowAt, grid, own, across, up),
  ];
}

/** The explained row on its curve. */
function rowMark(
  rowAt: number,
  grid: readonly number[],
  values: readonly number[],
  across: Scale,
  up: (value: number) => number,
): Markup[] {
  const value = between(grid, values, rowAt);
  return Number.isFinite(value) ? [dot(across.at(rowAt), up(value), 'var(--up)')] : [];
}

/** The curve at a value, along straight lines; beyond its ends, their values. */
export function between(grid: readonly number[], values: readonly number[], at: number): number {
  const after = grid.findIndex((value) => value >= at);
  if (after < 0) return values.at(-1) ?? Number.NaN;
  if (after === 0) return values[0] ?? Number.NaN;
  const [x0, x1] = [grid[after - 1] as number, grid[after] as number];
  const [y0, y1] = [values[after - 1] as number, values[after] as number];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}

/** Few enough to be read under half a chart. */
function ticksOf({ ticks }: Scale): number[] {
  return ticks.filter((_, at) => ticks.length <= 4 || at % 2 === 0);
}

function lineOf(values: readonly number[], place: (value: number, at: number) => string): string {
  const points = values.flatMap((value, at) => (Number.isFinite(value) ? [place(value, at)] : []));
  return points.length === 0 ? 'M0 0' : `M${points.join('L')}`;
}

function bandOf(
  upper: readonly number[],
  lower: readonly number[],
  place: (value: number, at: number) => string,
): string {
  const at = upper.flatMap((value, i) => (Number.isFinite(value) && Number.isFinite(lower[i]) ? [i] : []));
  if (at.length < 2) return 'M0 0';
  const there = at.map((i) => place(upper[i] as number, i));
  const back = at.toReversed().map((i) => place(lower[i] as number, i));
  return `M${[...there, ...back].join('L')}Z`;
}

function stroke(d: string, color: string, width: number, more = ''): Markup {
  return element('path', { d, style: `fill:none;stroke:${color};stroke-width:${width};${more}` });
}

function dot(cx: number, cy: number, color: string): Markup {
  return element('circle', { cx, cy, r: 4, style: `fill:${color};stroke:var(--paper)` });
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
