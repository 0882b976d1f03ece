import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { prometheusRule } from '../../infra/grafana/src/prometheus-rule';
import { root } from '../support/paths';
import {
  documentedMetrics,
  grafanaQuestions,
  metricsIn,
  panelQuestions,
  recordedNames,
  ruleQuestions,
  scalingQuestions,
} from './promql';

/** Of others: of Prometheus itself, the collector, and NVIDIA's exporter. */
const others = /^(?:up|ALERTS|scrape_duration_seconds|otelcol_\w+|DCGM_FI_DEV_GPU_UTIL)$/;

const questions = [...panelQuestions(), ...ruleQuestions(), ...grafanaQuestions(), ...scalingQuestions()];

test('what dashboards, rules and KEDA ask for is in docs/metrics.md, or recorded by a rule', () => {
  const known = new Set([...documentedMetrics(), ...recordedNames()]);
  expect(known.size).toBeGreaterThan(50);
  const has = (name: string) =>
    known.has(name) || known.has(name.replace(/_(?:bucket|sum|count)$/, '')) || others.test(name);
  const asked = questions.flatMap(({ where, expr }) => [...metricsIn(expr)].map((name) => ({ where, name })));
  expect(asked.length).toBeGreaterThan(150);
  const unknown = asked.filter(({ name }) => !has(name));
  expect(unknown).toEqual([]);
});

test('what the rules record is asked for', () => {
  const asked = new Set(questions.flatMap(({ expr }) => [...metricsIn(expr)]));
  expect(recordedNames().filter((name) => !asked.has(name))).toEqual([]);
});

test("the Prometheus operator's rules are those of Prometheus", () => {
  const file = path.join(root, 'infra/kubernetes/components/monitoring/prometheus-rule.yaml');
  expect(parse(readFileSync(file, 'utf8'))).toEqual(parse(prometheusRule(path.join(root, 'infra/prometheus/rules'))));
});

test('each alert has a test that expects it, and a line in the documentation', () => {
  const tests = ['alerts', 'slo'].map((name) =>
    readFileSync(path.join(root, `infra/prometheus/tests/${name}.yml`), 'utf8'),
  );
  const text = readFileSync(path.join(root, 'docs/observability.md'), 'utf8');
  const alerts = ruleQuestions().flatMap(({ alert }) => alert ?? []);
  expect(alerts.length).toBeGreaterThan(10);
  const expected = new Set(
    tests.flatMap((file) =>
      (parse(file) as { tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[] }).tests.flatMap(
        ({ alert_rule_test: cases = [] }) =>
          cases.filter(({ exp_alerts: fired }) => fired.length > 0).map(({ alertname }) => alertname),
      ),
    ),
  );
  expect(alerts.filter((name) => !expected.has(name))).toEqual([]);
  expect(alerts.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});
