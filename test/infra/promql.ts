import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { root } from '../support/paths';

/** A question that a file of ours puts to Prometheus. */
export interface Question {
  /** File and panel or rule, for messages. */
  readonly where: string;
  readonly expr: string;
  /** The alert that it decides on: it says nothing while all is well. */
  readonly alert?: string;
}

interface PanelJson {
  readonly title?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

export interface DashboardJson {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly PanelJson[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { query: string } }[];
  };
}

const dashboardFolder = 'infra/grafana/dashboards';
const ruleFolder = 'infra/prometheus/rules';

/** The dashboards as Grafana gets them, by their files. */
export function dashboardFiles(): Map<string, DashboardJson> {
  return new Map(
    readdirSync(path.join(root, dashboardFolder)).map((file) => [file, JSON.parse(read(`${dashboardFolder}/${file}`))]),
  );
}

/** What the dashboards' panels ask. */
export function panelQuestions(): Question[] {
  return [...dashboardFiles()].flatMap(([file, { panels }]) =>
    panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr }))),
  );
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { record?: string; alert?: string; expr: string }[] }[];
}

/** Names that recording rules make. */
export function recordedNames(): string[] {
  return rules().flatMap(({ record }) => record ?? []);
}

/** What the rules ask. */
export function ruleQuestions(): Question[] {
  return rules().map(({ file, record, alert, expr }) => ({
    where: `${file}: ${record ?? alert}`,
    expr,
    ...(alert !== undefined && { alert }),
  }));
}

function rules(): { file: string; record?: string; alert?: string; expr: string }[] {
  return readdirSync(path.join(root, ruleFolder)).flatMap((file) =>
    (parse(read(`${ruleFolder}/${file}`)) as RuleFile).groups.flatMap((group) =>
      group.rules.map((rule) => ({ file, ...rule })),
    ),
  );
}

/** What Grafana asks for the values of its variables, and beside a span. */
export function grafanaQuestions(): Question[] {
  const variables = [...dashboardFiles()].flatMap(([file, { templating }]) =>
    templating.list.flatMap(({ name, query }) => {
      const series = typeof query === 'string' ? undefined : /^label_values\((.*), \w+\)$/.exec(query.query)?.[1];
      return series === undefined ? [] : { where: `${file}: $${name}`, expr: series };
    }),
  );
  const sources = parse(read('infra/grafana/provisioning/datasources/datasources.yaml')) as {
    datasources: readonly { jsonData: { tracesToMetrics?: { queries: readonly { name: string; query: string }[] } } }[];
  };
  const besideSpans = sources.datasources.flatMap(({ jsonData }) => jsonData.tracesToMetrics?.queries ?? []);
  return [
    ...variables,
    ...besideSpans.map(({ name, query }) => ({
      where: `datasources.yaml: ${name}`,
      expr: query.replace('{$$__tags}', '{model=~"$model"}'),
    })),
  ];
}

/** What KEDA asks. */
export function scalingQuestions(): Question[] {
  const { spec } = parse(read('infra/kubernetes/components/keda/scaled-object.yaml')) as {
    spec: { triggers: readonly { name: string; metadata: { query: string } }[] };
  };
  return spec.triggers.map(({ name, metadata }) => ({ where: `scaled-object.yaml: ${name}`, expr: metadata.query }));
}

/** `expr` with the dashboards' variables replaced by what they hold when everything is chosen. */
export function filledIn(expr: string, window: string): string {
  return expr.replaceAll(/\$__(?:rate_interval|range)\b/g, window).replaceAll(/\$(?:model|version|instance)\b/g, '.*');
}

const words = new Set([
  'and',
  'bool',
  'by',
  'group_left',
  'group_right',
  'ignoring',
  'offset',
  'on',
  'or',
  'unless',
  'without',
]);

/** The metrics that docs/metrics.md lists. */
export function documentedMetrics(): Set<string> {
  return new Set([...read('docs/metrics.md').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] as string));
}

/** The metrics that an expression of PromQL names. */
export function metricsIn(expr: string): Set<string> {
  const bare = expr
    .replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(/(?<![\w.$])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([name]) => name);
  return new Set(names.filter((name) => !words.has(name)));
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}
