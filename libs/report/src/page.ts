import { bars } from './bars';
import { counterfactualTable } from './counterfactual-table';
import { curvePanels, curvesOf } from './curve-panels';
import { type ExplainedOutput, type Explanation, type PictureSubject, outputTitle } from './explanation';
import { facts } from './facts';
import { force } from './force';
import { heatMap } from './heat-map';
import { importanceBars, importanceOutput } from './importance-bars';
import { interactionMatrix } from './interaction-matrix';
import { Markup, element } from './markup';
import { centred } from './pixel-map';
import { qualityCurves, removalCurves } from './quality-curves';
import { ruleChart } from './rule-chart';
import { figure, signed } from './text';
import { textHighlight } from './text-highlight';
import { waterfall } from './waterfall';

/** What a report shows besides bars. */
export interface ReportSubject {
  readonly picture?: PictureSubject;
  /** The features are the words of a text. */
  readonly text?: boolean;
}

const style = `:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;margin:0 auto;padding:24px;max-width:800px;color:#1b1f24;background:#fff}
h1{font-size:22px;margin:0 0 12px;overflow-wrap:anywhere}h2{font-size:17px;margin:32px 0 8px;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0 0 16px}dt{color:#57606a}dd{margin:0;overflow-wrap:anywhere}
.warning{border-left:4px solid #b5460f;padding:4px 12px;margin:8px 0;overflow-wrap:anywhere}
svg{max-width:100%;height:auto;display:block;margin:12px 0}
table{border-collapse:collapse;width:100%;font-size:13px;table-layout:fixed}th,td{text-align:left;padding:3px 8px;border-bottom:1px solid #d0d7de;overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums}summary{cursor:pointer}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}dt{color:#9aa4af}th,td{border-color:#3d444d}.warning{border-color:#ff9a56}}`;

/** Nothing is loaded and nothing runs, whatever a name in it says. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** One self-contained file: charts of every output, how the explanation was made, and all numbers. */
export function reportPage(explanation: Explanation, subject: ReportSubject = {}): string {
  const title = `Explanation: ${explanation.model}`;
  const head = element(
    'head',
    {},
    new Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
    new Markup(`<meta http-equiv="Content-Security-Policy" content="${policy}">`),
    element('title', {}, title),
    new Markup(`<style>${style}</style>`),
  );
  const pairs = facts(explanation).flatMap(([name, words]) => [element('dt', {}, name), element('dd', {}, words)]);
  const body = element(
    'body',
    {},
    element('h1', {}, title),
    element('dl', {}, pairs),
    explanation.warnings.map((warning) => element('p', { class: 'warning' }, `Warning: ${warning}`)),
    ...found(explanation),
    explanation.outputs.map((output) => section(explanation, output, subject)),
  );
  return `<!doctype html>\n${element('html', { lang: 'en' }, head, body).source}\n`;
}

/** Of methods whose answer is of no one output. */
function found(explanation: Explanation): Markup[] {
  const { anchor, counterfactuals } = explanation;
  const charts: string[] = [];
  if (anchor) charts.push(ruleChart(explanation, anchor));
  if (counterfactuals) charts.push(counterfactualTable(explanation, counterfactuals));
  return charts.map((one) => new Markup(one));
}

/** Charts of an output of which no feature has a share. */
function foundOf(explanation: Explanation, output: ExplainedOutput): string[] {
  const { importance } = explanation;
  const charts: string[] = [];
  if (curvesOf(explanation, output).length > 0) charts.push(curvePanels(explanation, output));
  if (importance) charts.push(importanceBars(explanation, importance, output));
  return charts;
}

function section(explanation: Explanation, output: ExplainedOutput, subject: ReportSubject): Markup {
  const charts = output.values.length > 0 ? chartsOf(explanation, output, subject) : foundOf(explanation, output);
  if (removalCurves(explanation, output).length > 0) charts.push(qualityCurves(explanation, output));
  const numbered = explanation.importance ? importanceOutput(explanation.importance, output) : output;
  return element(
    'section',
    {},
    element('h2', {}, outputTitle(output)),
    element('p', {}, sumsOf(output)),
    charts.map((one) => new Markup(one)),
    numbered.values.length > 0 ? [numbers(explanation, numbered)] : [],
  );
}

/** What the numbers come to. */
function sumsOf({ values, map, baseValue, outputValue, additivityGap }: ExplainedOutput): string {
  if (values.length === 0 || map) return `Output ${figure(outputValue)}.`;
  return `Base value ${figure(baseValue)}, output ${figure(outputValue)}, additivity gap ${figure(additivityGap)}.`;
}

function chartsOf(explanation: Explanation, output: ExplainedOutput, subject: ReportSubject): string[] {
  // What is no share of a difference leads from nowhere to nowhere.
  const { output: shown, mean } = centred(output);
  const against = mean === undefined ? '' : `, against ${figure(mean)}`;
  const charts = output.map
    ? [bars(explanation, shown, 20, `mean over each feature’s pixels${against}`)]
    : [waterfall(explanation, output), force(explanation, output)];
  if (subject.text) charts.unshift(textHighlight(explanation, output));
  if (subject.picture) charts.unshift(heatMap(subject.picture, output));
  if (output.standardErrors && !output.map) charts.push(bars(explanation, output));
  if (output.interactions) charts.push(interactionMatrix(explanation, output));
  return charts;
}

function numbers({ features }: Explanation, output: ExplainedOutput): Markup {
  const cell = (words: string) => element('td', { class: 'number' }, words);
  const rows = features.map(({ name, value }, at) => {
    const error = output.standardErrors?.[at];
    const precise = error === undefined ? 'exact' : figure(error);
    const number = signed(output.values[at] ?? Number.NaN);
    return element('tr', {}, element('td', {}, name), element('td', {}, value), cell(number), cell(precise));
  });
  const heads = ['Feature', 'In the row'].map((words) => element('th', { scope: 'col' }, words));
  const figures = ['Contribution', 'Standard error'].map((words) =>
    element('th', { scope: 'col', class: 'number' }, words),
  );
  const table = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, heads, figures)),
    element('tbody', {}, rows),
  );
  return element('details', {}, element('summary', {}, `All ${features.length} numbers`), table);
}
