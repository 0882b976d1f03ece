import { axis, chart, chartWidth, hinted, line, pixelsPerColumn, text } from './chart';
import { type ExplainedOutput, type Explanation, outputTitle } from './explanation';
import type { Markup } from './markup';
import { type Rank, finite, ranked } from './ranked';
import { scaleOver } from './scale';
import { columnsOf, figure, shortened, signed } from './text';
import { arrow } from './waterfall';

const left = 40;
const right = chartWidth - 40;
const barTop = 76;
const barHeight = 26;
const labelRows = 3;

/** A piece of the bar: [from, to] in values, in the direction in which it pushes. */
interface Piece {
  readonly rank: Rank;
  readonly from: number;
  readonly to: number;
}

/** All contributions on one line: what pushes up comes from the left, what pushes down from the right, and they meet at the output. */
export function force({ features }: Explanation, output: ExplainedOutput, most = 20): string {
  const ranks = ranked(features, output, most);
  const meet = finite(output.outputValue);
  const pieces = [...stack(ranks, meet, 1), ...stack(ranks, meet, -1)];
  const base = finite(output.baseValue);
  const scale = scaleOver([base, meet, ...pieces.map(({ from }) => from)], left, right);
  const bottom = barTop + barHeight;
  const title = `${outputTitle(output)}: forces`;
  const names = (sign: number) =>
    pieces.filter(({ rank }) => Math.sign(rank.value) === sign).map(({ rank }) => `${rank.name} ${signed(rank.value)}`);
  const description = `Output ${figure(meet)}, base value ${figure(base)}. Up: ${names(1).join(', ') || 'nothing'}. Down: ${names(-1).join(', ') || 'nothing'}.`;
  return chart(bottom + 44 + labelRows * 18, title, description, [
    text(16, 22, title, { class: 'head' }),
    ...axis(scale, bottom, bottom + 6),
    ...markers(scale.at(meet), scale.at(base), meet, base),
    ...pieces.map(({ rank, from, to }) =>
      arrow(scale.at(from), scale.at(to), barTop, barHeight, rank.value < 0 ? 'down' : 'up', hintOf(rank)),
    ),
    // Seams between pieces of one colour.
    ...pieces.map(({ from }) =>
      line(scale.at(from), barTop, scale.at(from), bottom, { style: 'stroke:var(--paper);stroke-width:1' }),
    ),
    ...labels(pieces, (value) => scale.at(value), bottom + 40),
  ]);
}

/** From the meeting point outwards, the largest first. */
function stack(ranks: readonly Rank[], meet: number, sign: 1 | -1): Piece[] {
  let at = meet;
  return ranks
    .filter(({ value }) => Math.sign(finite(value)) === sign)
    .map((rank) => {
      const to = at;
      at -= rank.value;
      return { rank, from: at, to };
    });
}

/** The output above the bar and the base value higher still, so that they never overlap. */
function markers(meet: number, base: number, output: number, baseValue: number): Markup[] {
  return [
    line(base, 50, base, barTop + barHeight, { class: 'strong', 'stroke-dasharray': '2 3' }),
    held(base, 46, `base ${figure(baseValue)}`, 'dim'),
    line(meet, 68, meet, barTop + barHeight, { class: 'strong' }),
    held(meet, 66, `output ${figure(output)}`, 'bold'),
  ];
}

function held(x: number, y: number, content: string, kind: string): Markup {
  const half = (columnsOf(content) * pixelsPerColumn) / 2;
  const at = Math.max(8 + half, Math.min(chartWidth - 8 - half, x));
  return text(at, y, content, {
    'text-anchor': 'middle',
    class: `${kind} clear`,
    ...(kind === 'bold' && { 'font-weight': 600 }),
  });
}

/** Names under the pieces, the largest first, as long as there is room for them. */
function labels(pieces: readonly Piece[], at: (value: number) => number, top: number): Markup[] {
  const taken: [number, number][][] = Array.from({ length: labelRows }, () => []);
  return pieces
    .toSorted((a, b) => Math.abs(b.rank.value) - Math.abs(a.rank.value))
    .flatMap(({ rank, from, to }) => {
      const [x0, x1] = [Math.min(at(from), at(to)), Math.max(at(from), at(to))];
      if (x1 - x0 < 6) return [];
      const whole = hintOf(rank);
      const short = shortened(rank.shown === '' ? rank.name : `${rank.name} = ${rank.shown}`, 24);
      const half = (columnsOf(short) * pixelsPerColumn) / 2;
      const x = Math.max(8 + half, Math.min(chartWidth - 8 - half, (x0 + x1) / 2));
      const row = taken.findIndex((used) => used.every(([a, b]) => x + half + 8 < a || x - half - 8 > b));
      if (row < 0) return [];
      taken[row]?.push([x - half, x + half]);
      return [
        hinted(x, top + row * 18, short, whole, { 'text-anchor': 'middle', class: rank.value < 0 ? 'down' : 'up' }),
      ];
    });
}

function hintOf({ name, shown, value }: Rank): string {
  return `${name}${shown === '' ? '' : ` = ${shown}`}: ${signed(value)}`;
}
