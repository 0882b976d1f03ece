import { chart, chartWidth, hinted, line, pixelsPerColumn, text } from './chart';
import type { Explanation } from './explanation';
import type { Anchor } from './found';
import { type Markup, element } from './markup';
import { percent, predicateText } from './rule-text';
import { shortened } from './text';

const lineHeight = 24;
const left = 76;
const gaugeLeft = 232;
const gaugeRight = chartWidth - 158;

/** A rule in words, how often it is right, and for how many rows it holds. */
export function ruleChart({ features }: Explanation, anchor: Anchor): string {
  const words = anchor.predicates.map((one) => predicateText(one, features[one.feature]?.name ?? ''));
  const rule = words.length > 0 ? words : ['whatever the row is'];
  const top = 56;
  const answerAt = top + rule.length * lineHeight;
  const title = `A rule for ${anchor.answer}`;
  const kept = Math.floor((chartWidth - left - 16) / pixelsPerColumn);
  const bounds = `${percent(anchor.lower)} to ${percent(anchor.upper)}`;
  const description = `If ${rule.join(' and ')}, then ${anchor.answer}: ${percent(anchor.precision)} of ${anchor.samples} samples, bounds ${bounds}. It holds for ${percent(anchor.coverage)}.`;
  const lines = rule.flatMap((word, at) => [
    text(16, top + at * lineHeight, at === 0 ? 'if' : 'and', { class: 'dim' }),
    hinted(left, top + at * lineHeight, shortened(word, kept), word, { 'font-size': 14 }),
  ]);
  return chart(answerAt + 108, title, description, [
    text(16, 22, title, { class: 'head' }),
    ...lines,
    text(16, answerAt, 'then', { class: 'dim' }),
    hinted(left, answerAt, shortened(anchor.answer, kept), anchor.answer, { 'font-size': 14, 'font-weight': 600 }),
    ...gauge(answerAt + 26, 'how often it is right', anchor.precision, percent(anchor.precision)),
    ...interval(answerAt + 26, anchor),
    text(gaugeLeft, answerAt + 60, `of ${anchor.samples} samples; bounds ${bounds}`, { class: 'dim' }),
    ...gauge(answerAt + 74, 'how often it holds', anchor.coverage, percent(anchor.coverage)),
  ]);
}

function gauge(y: number, name: string, part: number, shown: string): Markup[] {
  const width = gaugeRight - gaugeLeft;
  return [
    text(gaugeLeft - 12, y + 14, name, { 'text-anchor': 'end' }),
    element('rect', { x: gaugeLeft, y: y + 3, width, height: 14, style: 'fill:var(--line)', 'fill-opacity': 0.5 }),
    element('rect', { class: 'down', x: gaugeLeft, y: y + 3, width: Math.max(0.5, width * part), height: 14 }),
    text(gaugeRight + 84, y + 14, shown, { 'text-anchor': 'end', 'font-weight': 600 }),
  ];
}

function interval(y: number, { lower, upper }: Anchor): Markup[] {
  const at = (part: number) => gaugeLeft + (gaugeRight - gaugeLeft) * part;
  const style = { class: 'strong', 'stroke-width': 2 };
  return [
    line(at(lower), y + 10, at(upper), y + 10, style),
    line(at(lower), y + 5, at(lower), y + 15, style),
    line(at(upper), y + 5, at(upper), y + 15, style),
  ];
}
