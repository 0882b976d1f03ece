import { axis, chart, chartWidth, hinted, line, pixelsPerColumn, side, text } from './chart';
import { type ExplainedOutput, type Explanation, outputTitle } from './explanation';
import { type Markup, element } from './markup';
import { type Rank, finite, ranked } from './ranked';
import { scaleOver } from './scale';
import { figure, shortened, signed } from './text';

const rowHeight = 24;
const left = 232;
const right = chartWidth - 158;
const nameColumns = Math.floor((left - 24) / pixelsPerColumn);

/** From the base value below to the model's output above: what each feature adds, the largest nearest to the output. */
export function waterfall({ features }: Explanation, output: ExplainedOutput, most = 20): string {
  const ranks = ranked(features, output, most);
  const steps = stepsOf(ranks, output);
  const scale = scaleOver([...steps.flat(), finite(output.baseValue), finite(output.outputValue)], left, right);
  const top = 62;
  const bottom = top + ranks.length * rowHeight;
  const rows = ranks.flatMap((rank, i) => {
    const [from, to] = steps[i] as [number, number];
    const y = top + i * rowHeight;
    return row(rank, scale.at(from), scale.at(to), y, i < ranks.length - 1);
  });
  const [base, end] = [scale.at(finite(output.baseValue)), scale.at(finite(output.outputValue))];
  const title = `${outputTitle(output)}: from the base value to the output`;
  return chart(bottom + 50, title, describe(ranks, output), [
    text(16, 22, title, { class: 'head' }),
    ...axis(scale, top, bottom),
    line(end, top - 6, end, top + rowHeight / 2, { class: 'strong', 'stroke-dasharray': '2 3' }),
    label(end, top - 12, `output ${figure(output.outputValue)}`),
    line(base, bottom - rowHeight / 2, base, bottom + 24, { class: 'strong', 'stroke-dasharray': '2 3' }),
    label(base, bottom + 38, `base ${figure(output.baseValue)}`),
    ...rows,
  ]);
}

/** [from, to] of each line, top down; all of them begin where the one below ends. */
function stepsOf(ranks: readonly Rank[], output: ExplainedOutput): [number, number][] {
  let at = finite(output.baseValue);
  return ranks
    .toReversed()
    .map(({ value }): [number, number] => {
      const from = at;
      at += finite(value);
      return [from, at];
    })
    .toReversed();
}

function row(rank: Rank, from: number, to: number, y: number, joined: boolean): Markup[] {
  const name = rank.shown === '' ? rank.name : `${rank.name} = ${rank.shown}`;
  const middle = y + rowHeight / 2;
  return [
    hinted(left - 12, middle + 4, shortened(name, nameColumns), name, { 'text-anchor': 'end' }),
    // From the end of the line below.
    ...(joined ? [line(from, middle, from, middle + rowHeight, { 'stroke-dasharray': '1 2' })] : []),
    arrow(from, to, y + 4, rowHeight - 8, side(rank.value), `${name}: ${signed(rank.value)}`),
    text(right + 84, middle + 4, signed(rank.value), {
      class: side(rank.value),
      'font-weight': 600,
      'text-anchor': 'end',
    }),
    ...(rank.error === undefined ? [] : [text(right + 92, middle + 4, `± ${figure(rank.error, 2)}`, { class: 'dim' })]),
  ];
}

/** A bar with a point at its end, so that its direction is seen without its colour. */
export function arrow(from: number, to: number, y: number, height: number, kind: string, hint: string): Markup {
  const width = Math.abs(to - from);
  const sign = to < from ? -1 : 1;
  // A sliver for what is too small to be seen.
  const end = width < 1 ? from + sign : to;
  const neck = end - sign * Math.min(6, width / 2);
  const d = `M${n(from)} ${n(y)}H${n(neck)}L${n(end)} ${n(y + height / 2)}L${n(neck)} ${n(y + height)}H${n(from)}Z`;
  return element('path', { class: kind, d }, element('title', {}, hint));
}

/** Kept within the chart, however near to its side. */
function label(x: number, y: number, content: string): Markup {
  const half = (content.length * pixelsPerColumn) / 2;
  const held = Math.max(8 + half, Math.min(chartWidth - 8 - half, x));
  return text(held, y, content, { 'text-anchor': 'middle', 'font-weight': 600 });
}

function describe(ranks: readonly Rank[], output: ExplainedOutput): string {
  const parts = ranks.slice(0, 5).map(({ name, value }) => `${name} ${signed(value)}`);
  const more = ranks.length > 5 ? ', and smaller ones' : '';
  return `Base value ${figure(output.baseValue)}, output ${figure(output.outputValue)}. Largest contributions: ${parts.join(', ')}${more}.`;
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
