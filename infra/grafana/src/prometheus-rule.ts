import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';

/** Prometheus' rule files as the object that its operator takes on Kubernetes. @param folder Of the rule files. */
export function prometheusRule(folder: string): string {
  const groups = readdirSync(folder).flatMap(
    (file) => (parse(readFileSync(path.join(folder, file), 'utf8')) as { groups: unknown[] }).groups,
  );
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'shoal', namespace: 'shoal' },
    spec: { groups },
  };
  return `# Written by \`npm run dashboards\` from infra/prometheus/rules.\n${stringify(rule, { singleQuote: true, lineWidth: 0 })}`;
}
