// npm run dashboards: writes infra/grafana/dashboards, and the rules for Prometheus' operator.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { dashboards } from './dashboards';
import { prometheusRule } from './prometheus-rule';

const infra = path.join(__dirname, '../..');
for (const [file, content] of dashboards) writeFileSync(path.join(infra, 'grafana/dashboards', file), content);
writeFileSync(
  path.join(infra, 'kubernetes/components/monitoring/prometheus-rule.yaml'),
  prometheusRule(path.join(infra, 'prometheus/rules')),
);
