import { chart, chartWidth, line, text } from './chart';
import { type ExplainedOutput, type Explanation, type Measure, outputTitle } from './explanation';
import { type Markup, element } from './markup';
import { type Scale, scaleOver } from './scale';
import { figure } from './text';

const [left, right, top, bottom] = [64, chartWidth - 190, 56, 236];

/** Measures of one output that are curves: deletion and insertion. */
export function removalCurves({ quality }: Explanation, { output, index }: ExplainedOutput): Measure[] {
  return quality.filter((one) => one.output === output && one.index === index && (one.curve?.length ?? 0) > 1);
}

/** The output as the most important features go one after the other, and as they come to nothing. */
export function qualityCurves(explanation: Explanation, output: ExplainedOutput): string {
  const curves = removalCurves(explanation, output);
  const values = curves.flatMap(({ curve = [] }) => curve.filter((value) => Number.isFinite(value)));
  const up = scaleOver(values.length > 0 ? values : [0, 1], bottom, top);
  const across = scaleOver([0, 1], left, right);
  const title = `${outputTitle(output)}: what the most important features are worth`;
  const words = curves.map(({ name, value }) => `${name}: area ${figure(value)}`);
  return chart(bottom + 52, title, `${words.join(', ')}.`, [
    text(16, 22, title, { class: 'head' }),
    text(16, 40, 'Deletion should fall at once, insertion rise at once.', { class: 'dim' }),
    ...up.ticks.flatMap((tick) => [
      line(left, up.at(tick), right, up.at(tick)),
      text(left - 8, up.at(tick) + 4, figure(tick), { 'text-anchor': 'end', class: 'dim' }),
    ]),
    ...across.ticks.map((tick) =>
      text(across.at(tick), bottom + 17, `${figure(100 * tick)} %`, { 'text-anchor': 'middle', class: 'dim' }),
    ),
    text((left + right) / 2, bottom + 36, 'features, the most important first', {
      'text-anchor': 'middle',
      class: 'dim',
    }),
    ...curves.map((one) => path(one, across, up)),
    ...labels(curves, up),
  ]);
}

function kindOf(name: string): 'up' | 'down' {
  return name === 'deletion' ? 'down' : 'up';
}

function path({ name, at = [], curve = [] }: Measure, across: Scale, up: Scale): Markup {
  const points = curve.map((value, i) => [across.at(at[i] ?? 0), up.at(Number.isFinite(value) ? value : 0)] as const);
  const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`);
  const dashes = name === 'deletion' ? ';stroke-dasharray:6 3' : '';
  return element('path', { d: d.join(''), style: `fill:none;stroke:var(--${kindOf(name)});stroke-width:2${dashes}` });
}

/** At the ends of the curves, apart from each other. */
function labels(curves: readonly Measure[], up: Scale): Markup[] {
  let last = -Infinity;
  return curves
    .map((one) => ({ one, y: up.at(one.curve?.findLast((value) => Number.isFinite(value)) ?? 0) }))
    .toSorted((a, b) => a.y - b.y)
    .flatMap(({ one, y }) => {
      const at = Math.max(Math.min(y, bottom - 18), last + 32);
      last = at;
      return [
        text(right + 16, at, one.name, { class: kindOf(one.name), 'font-weight': 600 }),
        text(right + 16, at + 15, `area ${figure(one.value)}`, { class: 'dim' }),
      ];
    });
}
