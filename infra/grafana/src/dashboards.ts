import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cluster } from './cluster';
import { explainability } from './explainability';
import { model } from './model';
import { overview } from './overview';

/** The files' names, and what is in them. */
export const dashboards: readonly (readonly [file: string, content: string])[] = [
  overview,
  model,
  cluster,
  explainability,
].map((dashboard) => [`${dashboard.uid}.json`, textOf(dashboard)]);

function textOf(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}
