import { bars, force, heatMap, interactionMatrix, textHighlight, waterfall } from './index';
import { chartWidth } from './chart';
import type { ExplainedOutput, Explanation } from './explanation';
import { example, examplePicture } from './testing/examples';
import { type Box, textBoxes } from './testing/text-boxes';

const nameSets: Readonly<Record<string, (at: number) => string>> = {
  short: (at) => `x${at}`,
  usual: (at) => `worst fractal dimension ${at}`,
  long: (at) => `a name that is much longer than what any column of a chart could ever hold, number ${at}`,
  wide: (at) => `平均半径の値（センチメートル）その${at}`,
};

const only = ({ outputs }: Explanation) => outputs[0] as ExplainedOutput;

/** Texts that lie over each other, or not within the frame. */
function faults(boxes: readonly Box[], height: number): string[] {
  const out = boxes.filter(({ x, y, width, height: h }) => x < 0 || y < 0 || x + width > chartWidth || y + h > height);
  const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).map((b) => [a, b] as const));
  // A pixel of air above and below letters is no overlap.
  const over = pairs.filter(([a, b]) => {
    const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
    return across > 1 && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 3;
  });
  return [
    ...out.map(({ text }) => `outside: ${text}`),
    ...over.map(([a, b]) => `over each other: ${a.text} | ${b.text}`),
  ];
}

const charts: Readonly<Record<string, (of: Explanation, output: ExplainedOutput) => string>> = {
  ...{ waterfall, force, bars, interactionMatrix, textHighlight },
};

test('no text lies over another or leaves its chart, in a browser where there is one', async () => {
  const cases = Object.entries(nameSets).flatMap(([names, of]) =>
    [1, 4, 30, 200].flatMap((features) => {
      const explanation = example({ features, names: of, interactions: true });
      return Object.entries(charts).map(([name, draw]) => ({
        title: `${name} of ${features} with ${names} names`,
        svg: draw(explanation, only(explanation)),
      }));
    }),
  );
  const { picture, explanation } = examplePicture();
  cases.push({ title: 'heat map', svg: heatMap(picture, only(explanation)) });
  const found = await textBoxes(cases.map(({ svg }) => svg));
  expect(found).toHaveLength(cases.length);
  const wrong = found.flatMap((boxes, i) => {
    const { title, svg } = cases[i] as { title: string; svg: string };
    expect(boxes.length).toBeGreaterThan(1);
    return faults(boxes, Number(/ height="(\d+)"/.exec(svg)?.[1])).map((fault) => `${title}: ${fault}`);
  });
  expect(wrong).toEqual([]);
}, 120_000);
