import { createLocalBus } from '@shoal/bus';
import { seededRandom } from '@shoal/core';
import { MetricRegistry, renderPrometheus } from '@shoal/telemetry';
import { FakeClock, until } from '@shoal/testing';
import { Catalog } from '../catalog/catalog';
import { type TrafficState, noRules, trafficPrefix } from '../traffic/traffic-rules';
import { TrafficTable } from '../traffic/traffic-table';
import { observeTraffic } from './observe-traffic';

test('what came of traffic rules, until they change', async () => {
  const clock = new FakeClock();
  const bus = createLocalBus({ clock });
  const catalog = new Catalog(bus, clock);
  const table = new TrafficTable(bus.state, catalog, seededRandom(1));
  const registry = new MetricRegistry(clock);
  const end = observeTraffic(registry, table);
  const samples = () =>
    renderPrometheus(registry)
      .split('\n')
      .filter((line) => line.startsWith('shoal_') && !line.endsWith(' 0'))
      .map((line) => line.replace('shoal_traffic_', '').replace('model="m",', ''));

  const state = { model: 'm', rules: noRules } as TrafficState;
  await bus.state.put(`${trafficPrefix}m`, state);
  await until(() => table.get('m') !== undefined);
  const counters = table.get('m')!.counters;
  Object.assign(counters.stable, { requests: 9, answered: 6, failed: 2, answeredMs: 1500 });
  Object.assign(counters.canary, { requests: 3, answered: 1, failed: 1, answeredMs: 250 });
  counters.fallbacks = 4;
  Object.assign(counters.shadow, { sent: 7, equal: 5, different: 1, failed: 1, dropped: 2, skipped: 3, abandoned: 8 });
  expect(samples()).toEqual([
    'answer_seconds_total{side="stable"} 1.5',
    'answer_seconds_total{side="canary"} 0.25',
    'answered_total{side="stable"} 6',
    'answered_total{side="canary"} 1',
    'failed_total{side="stable"} 2',
    'failed_total{side="canary"} 1',
    'fallbacks_total{model="m"} 4',
    'requests_total{side="stable"} 9',
    'requests_total{side="canary"} 3',
    'shadow_total{result="sent"} 7',
    'shadow_total{result="equal"} 5',
    'shadow_total{result="different"} 1',
    'shadow_total{result="failed"} 1',
    'shadow_total{result="dropped"} 2',
    'shadow_total{result="skipped"} 3',
    'shadow_total{result="abandoned"} 8',
  ]);
  await bus.state.put(`${trafficPrefix}m`, state);
  await until(() => table.get('m')!.counters !== counters);
  expect(samples()).toEqual([]);
  end();
  table.close();
  catalog.close();
  await bus.close();
});
