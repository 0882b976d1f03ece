import type { MetricRegistry } from '@shoal/telemetry';
import type { ModelTraffic, TrafficTable } from '../traffic/traffic-table';

const sides = ['stable', 'canary'] as const;
const results = ['sent', 'equal', 'different', 'failed', 'dropped', 'skipped', 'abandoned'] as const;

type Sample = (value: number, ...labels: readonly string[]) => void;

/** Shows what came of traffic rules, which is counted from 0 whenever the rules of a model change. @returns what ends it. */
export function observeTraffic(registry: MetricRegistry, table: TrafficTable): () => void {
  const ends: (() => void)[] = [];
  const each = (
    name: string,
    help: string,
    labels: readonly string[],
    tell: (one: ModelTraffic, sample: Sample) => void,
  ) => {
    ends.push(
      registry.observe('counter', { name, help, labels: ['model', ...labels] }, (sample) => {
        for (const one of table.all()) tell(one, (value, ...values) => sample(value, one.state.model, ...values));
      }),
    );
  };
  const bySide = (name: string, help: string, key: 'requests' | 'answered' | 'failed') =>
    each(name, help, ['side'], ({ counters }, sample) => {
      for (const side of sides) sample(counters[side][key], side);
    });
  bySide('shoal_traffic_requests_total', 'Requests that each side of a model’s traffic rules accepted.', 'requests');
  bySide('shoal_traffic_answered_total', 'Of those, how many were answered.', 'answered');
  bySide('shoal_traffic_failed_total', 'Of those, how many failed.', 'failed');
  each(
    'shoal_traffic_answer_seconds_total',
    'Time of the answered ones from acceptance to answer.',
    ['side'],
    ({ counters }, sample) => {
      for (const side of sides) sample(counters[side].answeredMs / 1000, side);
    },
  );
  each(
    'shoal_traffic_fallbacks_total',
    'Requests of the canary that the stable version answered.',
    [],
    ({ counters }, sample) => sample(counters.fallbacks),
  );
  each(
    'shoal_traffic_shadow_total',
    'What came of copying requests to a shadow version.',
    ['result'],
    ({ counters }, sample) => {
      for (const result of results) sample(counters.shadow[result], result);
    },
  );
  return () => {
    for (const end of ends) end();
  };
}
