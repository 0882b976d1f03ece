import { curvePanels, qualityCurves, ruleChart } from './index';
import { centred } from './pixel-map';
import { counterfactualTable } from './counterfactual-table';
import { between, curvesOf } from './curve-panels';
import type { ExplainedOutput, Explanation } from './explanation';
import { heatMap } from './heat-map';
import { importanceBars } from './importance-bars';
import { reportPage } from './page';
import { predicateText } from './rule-text';
import { type Found, foundExample } from './testing/found-examples';
import { example, examplePicture } from './testing/examples';
import { elementsOf, framed } from './testing/frame';
import { attributesOf, parseXml, textsOf } from './testing/parse-xml';

type Example = Explanation & Found;
const only = (explanation: Explanation) => explanation.outputs[0] as ExplainedOutput;
const charts: Readonly<Record<string, (one: Example) => string>> = {
  rule: (one) => ruleChart(one, one.anchor),
  counterfactuals: (one) => counterfactualTable(one, one.counterfactuals),
  curves: (one) => curvePanels(one, only(one)),
  importance: (one) => importanceBars(one, one.importance, only(one)),
  quality: (one) => qualityCurves(one, only(one)),
};

describe.each(Object.keys(charts))('%s', (name) => {
  const draw = (one: Example) => parseXml((charts[name] as (typeof charts)[string])(one));

  test.each([1, 4, 40])('of %i features stays in its frame, and says what it shows', (features) => {
    const tree = draw(foundExample({ features }));
    expect(framed(tree)).toEqual([]);
    expect(textsOf(tree, 'desc').join('')).not.toBe('');
    expect(attributesOf(tree).filter(([, value]) => /NaN|Infinity|undefined/.test(value))).toEqual([]);
  });

  test('shows hostile names as text', () => {
    const names = () => `"><script>alert(1)</script><image href='x' onerror=alert(2)>&\u0000\u202e`;
    const tree = draw(foundExample({ features: 5, names, output: { label: '</title><script>' } }));
    const harmless = ['svg', 'title', 'desc', 'style', 'rect', 'text', 'line', 'path', 'circle'];
    expect(elementsOf(tree).filter((one) => !harmless.includes(one.name))).toEqual([]);
    expect(attributesOf(tree).filter(([key]) => key.startsWith('on'))).toEqual([]);
  });
});

test('what is not known yet is not drawn', () => {
  const one = foundExample({ features: 3 });
  const curves = one.curves.map((curve) => ({
    ...curve,
    values: [1, NaN, 2, NaN, NaN],
    standardErrors: [NaN, NaN, 1, NaN, NaN],
  }));
  const tree = parseXml(curvePanels({ ...one, curves }, only(one)));
  expect(attributesOf(tree).filter(([, value]) => /NaN|Infinity/.test(value))).toEqual([]);
  const none = { ...one.counterfactuals, rows: [] };
  expect(textsOf(parseXml(counterfactualTable(one, none)), 'text')).toContain('None was found.');
  expect(textsOf(parseXml(ruleChart(one, { ...one.anchor, predicates: [] })), 'text')).toContain('whatever the row is');
});

test('curves that move the output most come first, and the row lies on its own', () => {
  const one = foundExample({ features: 6 });
  const ranges = curvesOf(one, only(one)).map(({ values }) => Math.max(...values) - Math.min(...values));
  expect(ranges).toEqual(ranges.toSorted((a, b) => b - a));
  expect(between([0, 2, 4], [1, 3, 3], 1)).toBe(2);
  expect(between([0, 2, 4], [1, 3, 5], -1)).toBe(1);
  expect(between([0, 2, 4], [1, 3, 5], 9)).toBe(5);
});

test('a table names what changes and which way', () => {
  const one = foundExample({ features: 3, names: (at) => `f${at}` });
  const shown = textsOf(parseXml(counterfactualTable(one, one.counterfactuals)), 'text');
  expect(shown).toEqual(expect.arrayContaining(['f0', 'f1', 'f2', 'row 1', '▲ 1', '0.4', '·']));
  const fewer = { ...one.counterfactuals, rows: one.counterfactuals.rows.slice(1, 2) };
  expect(textsOf(parseXml(counterfactualTable(one, fewer)), 'text')).toContain('One other feature stays as it is.');
});

test.each([
  [{ above: 1.5, upTo: 4, equal: undefined }, '1.5 < size ≤ 4'],
  [{ above: undefined, upTo: 4, equal: undefined }, 'size ≤ 4'],
  [{ above: 1.5, upTo: undefined, equal: undefined }, 'size > 1.5'],
  [{ above: undefined, upTo: undefined, equal: 3 }, 'size = 3'],
  [{ above: undefined, upTo: undefined, equal: undefined }, 'size is there'],
])('what a rule says of a feature: %p', (bounds, words) => {
  expect(predicateText({ feature: 0, ...bounds }, 'size')).toBe(words);
});

test('a map is shown pixel by pixel; one that is nowhere near zero against its own mean', () => {
  const { picture, explanation } = examplePicture();
  const map = { height: 28, width: 28, values: Array.from({ length: 784 }, (_, at) => (at < 392 ? 9 : 11)) };
  const output = { ...only(explanation), map };
  const { output: shown, mean } = centred(output);
  expect(mean).toBe(10);
  expect(shown.map?.values[0]).toBe(-1);
  expect(textsOf(parseXml(heatMap(picture, output)), 'text')).toContain('Against the map’s mean, 10.');
  const zero = { ...output, map: { ...map, values: map.values.map((value) => value - 9) } };
  expect(centred(zero)).toEqual({ output: zero, mean: undefined });
  const page = reportPage({ ...explanation, outputs: [output] }, { picture });
  expect(page).not.toContain('from the base value to the output');
  expect(page).toContain('mean over each feature’s pixels, against 10');
  expect(page).not.toContain(' others');
});

test('a page of what was found has its charts, and no shares that there are not', () => {
  const one = foundExample({ features: 4 });
  const page = reportPage(one);
  for (const words of [
    'A rule for benign',
    'Nearby rows for which',
    'how it follows each',
    'loss with a feature shuffled',
    'insertion',
  ]) {
    expect(page).toContain(words);
  }
  expect(page).not.toContain('from the base value to the output');
  expect(reportPage(example())).toContain('from the base value to the output');
});
