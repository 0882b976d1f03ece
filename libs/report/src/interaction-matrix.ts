import { chart, chartWidth, hinted, pixelsPerColumn, text } from './chart';
import { type ExplainedOutput, type Explanation, outputTitle } from './explanation';
import { type Markup, element } from './markup';
import { finite } from './ranked';
import { figure, shortened, signed } from './text';

const left = 190;
/** Cells of at least so many pixels hold a number. */
const numbered = 44;
const nameColumns = Math.floor((left - 24) / pixelsPerColumn);

/** How much two features add together beyond what each adds: the features with the largest, at most `most`. */
export function interactionMatrix({ features }: Explanation, output: ExplainedOutput, most = 20): string {
  const players = features.length;
  const value = (a: number, b: number) => finite(output.interactions?.[a * players + b]);
  const weight = (a: number) => features.reduce((sum, _, b) => sum + (a === b ? 0 : Math.abs(value(a, b))), 0);
  const weights = features.map((_, at) => weight(at));
  const kept = weights
    .map((_, at) => at)
    .toSorted((a, b) => (weights[b] as number) - (weights[a] as number) || a - b)
    .slice(0, most);
  const pairs = kept.flatMap((a) => kept.filter((b) => b < a).map((b) => [a, b] as const));
  const largest = pairs.reduce((top, [a, b]) => Math.max(top, Math.abs(value(a, b))), 0);
  const cell = Math.min(48, (chartWidth - left - 110) / Math.max(1, kept.length));
  const top = 64 + nameColumns * 3.6;
  const nameOf = (at: number) => features[at]?.name ?? '';
  const strongest = pairs
    .toSorted(([a, b], [c, d]) => Math.abs(value(c, d)) - Math.abs(value(a, b)))
    .slice(0, 5)
    .map(([a, b]) => `${nameOf(a)} with ${nameOf(b)} ${signed(value(a, b))}`);
  const omitted =
    features.length > kept.length ? `The ${kept.length} of ${features.length} features that interact most. ` : '';
  const title = `${outputTitle(output)}: interactions`;
  const description = `${omitted}Strongest: ${strongest.join(', ') || 'none'}.`;
  return chart(top + kept.length * cell + 16, title, description, [
    text(16, 22, title, { class: 'head' }),
    text(16, 40, `${omitted}Darkest: ${figure(largest)}.${cell < numbered ? ' A dot: negative.' : ''}`, {
      class: 'dim',
    }),
    ...kept.flatMap((at, i) => names(nameOf(at), i, cell, top)),
    ...kept.flatMap((a, i) =>
      kept.flatMap((b, j) => {
        const hint = `${nameOf(a)} with ${nameOf(b)}: ${signed(value(a, b))}`;
        return i === j ? [] : square(left + j * cell, top + i * cell, cell, value(a, b), largest, hint);
      }),
    ),
  ]);
}

function names(name: string, i: number, cell: number, top: number): Markup[] {
  const short = shortened(name, nameColumns);
  const middle = (i + 0.5) * cell;
  const [x, y] = [left + middle, top - 8];
  return [
    hinted(left - 10, top + middle + 4, short, name, { 'text-anchor': 'end' }),
    hinted(x, y, short, name, { transform: `rotate(-35 ${x.toFixed(1)} ${y.toFixed(1)})` }),
  ];
}

function square(x: number, y: number, cell: number, value: number, largest: number, hint: string): Markup[] {
  const strength = largest === 0 ? 0 : Math.abs(value) / largest;
  const kind = value < 0 ? 'down' : 'up';
  const box = {
    class: kind,
    x: x + 1,
    y: y + 1,
    width: cell - 2,
    height: cell - 2,
    'fill-opacity': 0.04 + 0.9 * strength,
  };
  const middle = { x: x + cell / 2, y: y + cell / 2 + 4 };
  const parts = [element('rect', box, element('title', {}, hint))];
  if (cell >= numbered) {
    const tone = strength > 0.8 ? { class: 'over' } : {};
    parts.push(
      element('text', { ...middle, ...tone, 'text-anchor': 'middle', 'font-size': 11 }, brief(value, largest)),
    );
  } else if (value < 0 && strength > 0.05) {
    parts.push(
      element('circle', { cx: middle.x, cy: y + cell / 2, r: Math.max(1, cell / 10), style: 'fill:var(--ink)' }),
    );
  }
  return parts;
}

/** Two digits of the largest, and as many places of the others: what is next to nothing beside it reads as 0. */
function brief(value: number, largest: number): string {
  const places = Math.max(0, Math.min(20, 1 - Math.floor(Math.log10(largest || 1))));
  // Too long for a cell.
  return places > 4 || largest >= 1e4
    ? `${value < 0 ? '−' : '+'}${Math.abs(value).toExponential(0)}`
    : signed(Number(value.toFixed(places)) + 0);
}
