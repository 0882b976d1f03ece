import { axis, chart, chartWidth, hinted, line, pixelsPerColumn, side, text } from './chart';
import { type ExplainedOutput, type Explanation, outputTitle } from './explanation';
import { type Markup, element } from './markup';
import { type Rank, finite, ranked } from './ranked';
import { type Scale, scaleOver } from './scale';
import { figure, shortened, signed } from './text';

const rowHeight = 22;
const left = 232;
const right = chartWidth - 158;
const nameColumns = Math.floor((left - 24) / pixelsPerColumn);

/** Half the width of a 95 % interval of what is normally distributed, in standard errors. */
export const interval95 = 1.96;

/** Features by the size of what they add, each with the 95 % interval of its estimate. */
export function bars({ features }: Explanation, output: ExplainedOutput, most = 20, about = 'contributions'): string {
  const ranks = ranked(features, output, most);
  const ends = ranks.flatMap(({ value, error = 0 }) => [
    finite(value) - interval95 * error,
    finite(value) + interval95 * error,
  ]);
  const scale = scaleOver([0, ...ends], left, right);
  const top = 52;
  const bottom = top + ranks.length * rowHeight;
  const estimated = ranks.some(({ error }) => error !== undefined);
  const title = `${outputTitle(output)}: ${about}`;
  const note = estimated
    ? 'Whiskers: 95 % intervals. Numbers: value ± standard error.'
    : 'Values without whiskers are exact.';
  return chart(
    bottom + 30,
    title,
    `${note} ${ranks.map(({ name, value }) => `${name} ${signed(value)}`).join(', ')}.`,
    [
      text(16, 22, title, { class: 'head' }),
      text(16, 40, note, { class: 'dim' }),
      ...axis(scale, top, bottom),
      line(scale.at(0), top, scale.at(0), bottom, { class: 'strong' }),
      ...ranks.flatMap((rank, i) => row(rank, scale, top + i * rowHeight)),
    ],
  );
}

function row(rank: Rank, scale: Scale, y: number): Markup[] {
  const name = rank.shown === '' ? rank.name : `${rank.name} = ${rank.shown}`;
  const value = finite(rank.value);
  const middle = y + rowHeight / 2;
  const [x0, x1] = [scale.at(Math.min(0, value)), scale.at(Math.max(0, value))];
  const bar = { class: side(value), x: x0, y: y + 4, width: Math.max(0.5, x1 - x0), height: rowHeight - 8 };
  return [
    hinted(left - 12, middle + 4, shortened(name, nameColumns), name, { 'text-anchor': 'end' }),
    element('rect', bar, element('title', {}, `${name}: ${signed(rank.value)}`)),
    ...(rank.error === undefined ? [] : whisker(scale, value, interval95 * rank.error, middle)),
    text(right + 84, middle + 4, signed(rank.value), { class: side(value), 'font-weight': 600, 'text-anchor': 'end' }),
    ...(rank.error === undefined ? [] : [text(right + 92, middle + 4, `± ${figure(rank.error, 2)}`, { class: 'dim' })]),
  ];
}

function whisker(scale: Scale, value: number, half: number, y: number): Markup[] {
  const [x0, x1] = [scale.at(value - half), scale.at(value + half)];
  return [
    line(x0, y, x1, y, { class: 'strong' }),
    line(x0, y - 4, x0, y + 4, { class: 'strong' }),
    line(x1, y - 4, x1, y + 4, { class: 'strong' }),
  ];
}
