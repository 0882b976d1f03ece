import { Buffer } from 'node:buffer';
import { decode } from 'fast-png';
import { bars, force, heatMap, interactionMatrix, reportPage, textHighlight, waterfall } from './index';
import type { ExplainedOutput, Explanation } from './explanation';
import { chartWidth } from './chart';
import { example, examplePicture } from './testing/examples';
import { elementsOf, framed } from './testing/frame';
import { attributesOf, parseXml, textsOf } from './testing/parse-xml';

type Chart = (explanation: Explanation, output: ExplainedOutput) => string;
const charts: Readonly<Record<string, Chart>> = { waterfall, force, bars, textHighlight, interactionMatrix };

const only = (explanation: Explanation) => explanation.outputs[0] as ExplainedOutput;

describe.each(Object.keys(charts))('%s', (name) => {
  const draw = (explanation: Explanation) => parseXml((charts[name] as Chart)(explanation, only(explanation)));

  test.each([1, 4, 30, 200])('of %i features stays in its frame, and says what it shows', (features) => {
    const tree = draw(example({ features, interactions: true }));
    const box = (tree.attributes['viewBox'] ?? '').split(' ').map(Number);
    expect(box.slice(0, 3)).toEqual([0, 0, chartWidth]);
    expect(textsOf(tree, 'title').length).toBeGreaterThan(0);
    expect(textsOf(tree, 'desc').join('')).not.toBe('');
    expect(framed(tree)).toEqual([]);
  });

  test('shows hostile names as text', () => {
    const names = () => `"><script>alert(1)</script><image href='x' onerror=alert(2)>&\u0000\u0007\ud800\u202e`;
    const tree = draw(example({ features: 5, interactions: true, names, output: { label: '</title><script>' } }));
    expect(elementsOf(tree).filter((one) => !harmless.has(one.name))).toEqual([]);
    expect(attributesOf(tree).filter(([key]) => key.startsWith('on'))).toEqual([]);
    expect(textsOf(tree, 'desc').join('')).toContain('<script>alert(1)</script>');
  });

  test('draws what is no number as nothing', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, 1, 0];
    const output = { values, baseValue: Number.NaN, standardErrors: [Number.NaN, 1, Number.NaN, 0] };
    const tree = draw(example({ features: 4, interactions: true, output }));
    expect(attributesOf(tree).filter(([, value]) => /NaN|Infinity/.test(value))).toEqual([]);
  });

  test('of nothing but zeros', () => {
    const output = { values: [0, 0, 0], baseValue: 0, outputValue: 0, standardErrors: [0, 0, 0] };
    const tree = draw(
      example({ features: 3, interactions: true, output: { ...output, interactions: new Array(9).fill(0) } }),
    );
    expect(attributesOf(tree).filter(([, value]) => /NaN|Infinity/.test(value))).toEqual([]);
  });
});

test('what is beyond the most lines is one line, and its sum', () => {
  const explanation = example({ features: 50 });
  const shown = textsOf(parseXml(waterfall(explanation, only(explanation), 10)), 'text');
  expect(shown).toContain('41 others');
  expect(shown.filter((words) => words.startsWith('feature '))).toHaveLength(9);
});

test('what rounding leaves behind is shown as 0', () => {
  const output = { values: [3, 1e-16, 1e-9], baseValue: 0, outputValue: 3, standardErrors: undefined };
  const shown = textsOf(
    parseXml(bars(example({ features: 3 }), { ...only(example({ features: 3 })), ...output })),
    'text',
  );
  expect(shown).toEqual(expect.arrayContaining(['+3', '+1.00e−9', '0']));
  expect(shown.join(' ')).not.toContain('e−16');
});

test('bars of a waterfall lead from the base value to the output', () => {
  const output = { values: [3, -1], baseValue: 10, outputValue: 12, standardErrors: undefined };
  const explanation = example({ features: 2, output });
  const parts = elementsOf(parseXml(waterfall(explanation, only(explanation))));
  const paths = parts.filter(({ name }) => name === 'path');
  const [largest, smallest] = paths.map(({ attributes }) => /^M([\d.]+).*?L([\d.]+)/.exec(attributes['d'] ?? ''));
  const [from, to] = [Number(largest?.[1]), Number(largest?.[2])];
  // 9 to 12 above, 10 to 9 below: a value is a third of the upper bar's length.
  expect(Number(smallest?.[2])).toBeCloseTo(from, 1);
  expect(Number(smallest?.[1])).toBeCloseTo(from + (to - from) / 3, 1);
  const [end, base] = parts.filter(({ attributes }) => attributes['class'] === 'strong');
  expect(to).toBeCloseTo(Number(end?.attributes['x1']), 1);
  expect(Number(smallest?.[1])).toBeCloseTo(Number(base?.attributes['x1']), 1);
});

test('a picture is overlaid with the values of its parts', () => {
  const { picture, explanation } = examplePicture();
  const output = {
    ...only(explanation),
    values: explanation.features.map((_, at) => (at === 0 ? 2 : at === 48 ? -2 : 0)),
  };
  const images = elementsOf(parseXml(heatMap(picture, output))).filter(({ name }) => name === 'image');
  const [original, , , heat] = images.map(({ attributes }) => {
    return decode(Buffer.from((attributes['href'] ?? '').split(',')[1] as string, 'base64'));
  });
  expect(original?.data).toEqual(picture.pixels);
  expect(heat).toMatchObject({ width: 28, height: 28, channels: 4 });
  const pixel = (at: number) => [...(heat?.data ?? []).slice(at * 4, at * 4 + 4)];
  expect(pixel(0)).toEqual([213, 94, 0, 255]);
  expect(pixel(10)[3]).toBe(0);
  expect(pixel(783)).toEqual([0, 90, 200, 255]);
});

test('a page loads and runs nothing, and holds every number', () => {
  const { picture, explanation } = examplePicture();
  const hostile = '</title></svg><script src="http://example.com/x.js"></script>';
  const page = reportPage(
    { ...explanation, model: hostile, reason: hostile, warnings: [hostile] },
    { picture, text: true },
  );
  expect(page).not.toMatch(/<script|<link|<iframe|url\(|@import/i);
  const sources = [...page.matchAll(/\b(?:href|src)="([^"]{0,22})/g)].map(([, value]) => value);
  expect(new Set(sources)).toEqual(new Set(['data:image/png;base64,']));
  expect(page).toContain("default-src 'none'");
  expect(page.match(/<tr>/g)).toHaveLength(1 + 49);
  expect(page).toContain('prefers-color-scheme:dark');
});

const harmless = new Set(['svg', 'title', 'desc', 'style', 'rect', 'text', 'line', 'path', 'circle', 'image']);
