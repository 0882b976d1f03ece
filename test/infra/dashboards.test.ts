import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { dashboards } from '../../infra/grafana/src/dashboards';
import { root } from '../support/paths';
import { composeContainers } from './containers';
import { dashboardFiles, metricsIn, panelQuestions } from './promql';

test('the dashboards are what `npm run dashboards` writes', () => {
  const written = Object.fromEntries(dashboards.map(([file, content]) => [file, JSON.parse(content)]));
  expect(Object.fromEntries(dashboardFiles())).toEqual(written);
});

test('panels ask with variables that their dashboard has', () => {
  for (const [file, { templating, panels }] of dashboardFiles()) {
    const variables = new Set(templating.list.map(({ name }) => name));
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(asked.length).toBeGreaterThan(5);
    const used = new Set(asked.flatMap((expr) => [...expr.matchAll(/\$(\w+)/g)].map((match) => match[1] as string)));
    const unknown = [...used].filter((name) => !variables.has(name) && !name.startsWith('__'));
    expect({ file, unknown }).toEqual({ file, unknown: [] });
  }
});

test('no dashboard has two panels of one title under one heading', () => {
  for (const { title, panels } of dashboardFiles().values()) {
    let heading = '';
    const names = panels.map((panel) => {
      if (panel.targets === undefined) heading = panel.title ?? '';
      return `${heading}: ${panel.title}`;
    });
    expect({ title, names: new Set(names).size }).toEqual({ title, names: names.length });
  }
});

test('what a question names is told from its functions, labels and words', () => {
  const expr =
    'sum by (le, model) (rate(a_bucket{model="b_c", x=~"d|e"}[5m])) / on (model) group_left (y) (shoal:f:rate5m or vector(0)) > bool 1e6 and topk(3, g offset 5m)';
  expect([...metricsIn(expr)].sort()).toEqual(['a_bucket', 'g', 'shoal:f:rate5m']);
  expect([...metricsIn('absent(up)')]).toEqual(['up']);
  expect(panelQuestions().flatMap((question) => [...metricsIn(question.expr)])).toContain('nv_inference_count');
});

test('Prometheus is told of every service that Compose starts', () => {
  const { scrape_configs: jobs } = parse(readFileSync(path.join(root, 'infra/prometheus/prometheus.yml'), 'utf8')) as {
    scrape_configs: { job_name: string; dns_sd_configs?: { names: string[] }[] }[];
  };
  const names = jobs.find(({ job_name }) => job_name === 'shoal')?.dns_sd_configs?.[0]?.names;
  const services = composeContainers().map(({ where }) => where.replace('docker-compose.yml: ', ''));
  expect(names?.toSorted()).toEqual(services.toSorted());
});
