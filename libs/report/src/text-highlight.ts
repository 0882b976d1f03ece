import { chart, chartWidth, text } from './chart';
import { type ExplainedOutput, type Explanation, outputTitle } from './explanation';
import { type Markup, element } from './markup';
import { finite } from './ranked';
import { columnsOf, figure, shortened, signed } from './text';

const left = 16;
const column = 8.4;
const lineHeight = 34;
const top = 56;

/** The features in their order as the words of a text, each on the colour of what it adds, with a line above for and below against. */
export function textHighlight({ features }: Explanation, output: ExplainedOutput): string {
  const largest = output.values.reduce((most, value) => Math.max(most, Math.abs(finite(value))), 0);
  let [x, y] = [left, top];
  const words = features.map(({ name }, at) => {
    // One that is longer than a line would leave the picture.
    const word = shortened(name, 80);
    const width = Math.max(1, columnsOf(word)) * column + 8;
    if (x > left && x + width > chartWidth - left) [x, y] = [left, y + lineHeight];
    const drawn = draw(word, x, y, width, finite(output.values[at]), largest, name);
    x += width + 3;
    return drawn;
  });
  const title = `${outputTitle(output)}: the text`;
  const description = features.map(({ name }, at) => `${name} ${signed(output.values[at] ?? Number.NaN)}`).join(', ');
  const note = `Darkest: ${figure(largest)}. A line above a word: it speaks for the output; below: against.`;
  return chart(y + lineHeight + 8, title, description, [
    text(left, 22, title, { class: 'head' }),
    text(left, 40, note, { class: 'dim' }),
    ...words.flat(),
  ]);
}

function draw(
  word: string,
  x: number,
  y: number,
  width: number,
  value: number,
  largest: number,
  name: string,
): Markup[] {
  const strength = largest === 0 ? 0 : Math.abs(value) / largest;
  const kind = value < 0 ? 'down' : 'up';
  const edge = value < 0 ? y + 23 : y;
  const hint = element('title', {}, `${name}: ${signed(value)}`);
  return [
    element('rect', { class: kind, x, y, width, height: 25, rx: 3, 'fill-opacity': strength * 0.45 }, hint),
    element('rect', { class: kind, x, y: edge, width, height: 2, 'fill-opacity': strength }),
    element(
      'text',
      { class: 'fixed', x: x + 4, y: y + 17, 'font-size': 14, textLength: width - 8, lengthAdjust: 'spacingAndGlyphs' },
      hint,
      word,
    ),
  ];
}
