import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Cluster, type ClusterMember, type ServiceName, startCluster } from '../support/cluster';
import { ExplainClient } from '../support/explain-client';
import { diabetesRequest } from '../support/explain-requests';
import { type Scrape, scrape, servesMetrics } from '../support/metrics';
import { root } from '../support/paths';
import { float32, inferRequest } from '../support/tensors';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const args = ['--allow-metrics', '--metrics-port=0'];
const services: readonly ServiceName[] = ['router', 'batching', 'model-worker', 'explainability'];
let cluster: Cluster | undefined;

beforeAll(async () => {
  cluster = await startCluster(
    { diabetes_mlp: {} },
    { router: 2, batching: 1, 'model-worker': 1, explainability: 1 },
    { args: Object.fromEntries(services.map((service) => [service, args])) },
  );
});

afterAll(() => cluster?.close());

function metricsOf(member: ClusterMember): Promise<Scrape> {
  const [, url = ''] = servesMetrics.exec(member.output) ?? [];
  return scrape(url);
}

/** The sum over all processes. */
async function total(name: string, labels: Record<string, string> = {}): Promise<number> {
  const all = await Promise.all((cluster?.members ?? []).map(metricsOf));
  return all.reduce((sum, one) => sum + (one.value(name, labels) ?? 0), 0);
}

/** Names by who tells them, as docs/metrics.md says. */
function documented(service: string): string[] {
  const text = readFileSync(path.join(root, 'docs/metrics.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` *\|[^|]*\|[^|]*\| *([^|]*?) *\|/gm)];
  return rows.filter(([, , by = '']) => by === 'all' || by.split(', ').includes(service)).map(([, name = '']) => name);
}

test('each process tells what docs/metrics.md says of its kind', async () => {
  for (const service of services) {
    for (const member of cluster?.living(service) ?? []) {
      const served = [...(await metricsOf(member)).types.keys()];
      expect([service, served]).toEqual([service, documented(service).toSorted()]);
    }
  }
});

test('sums over all processes are the cluster’s', async () => {
  if (!cluster) return;
  const request = inferRequest('diabetes_mlp', [float32('input', [2, 10], Array.from({ length: 20 }, Math.sin))]);
  for (let i = 0; i < 3; i += 1) for (const { client } of cluster.doors) await client.infer(request);
  await eventually('all is counted', async () => (await total('nv_inference_request_success')) === 6);
  expect(await total('nv_inference_count')).toBe(12);
  expect(await total('shoal_request_duration_seconds_count')).toBe(6);
  expect(await total('shoal_runners', { state: 'serving' })).toBe(1);
  expect(await total('shoal_links', { peer_role: 'runner', state: 'open' })).toBe(3);
  expect(await total('shoal_links', { peer_role: 'batching', state: 'open' })).toBe(2);
  expect(await total('shoal_links', { peer_role: 'router', state: 'open' })).toBe(2);
  expect(await total('shoal_build_info')).toBe(cluster.members.length);

  const client = new ExplainClient(cluster.doors[0]!.address);
  await eventually('it is explained', () => client.explain(diabetesRequest({ permutation: {} })), 20_000);
  client.close();
  expect(await total('shoal_explanations_total', { method: 'permutation', status: 'OK' })).toBe(1);
  expect(await total('rpc_client_call_duration_seconds_count')).toBeGreaterThan(1);
});

test('NATS that goes and comes', async () => {
  if (!cluster) return;
  const all = cluster.members.length;
  expect(await total('shoal_bus_connected')).toBe(all);
  await cluster.nats.kill();
  await eventually('all have lost it', async () => (await total('shoal_bus_connected')) === 0, 20_000);
  await cluster.nats.start();
  await eventually('all are back', async () => (await total('shoal_bus_reconnects_total')) === all, 30_000);
  expect(await total('shoal_bus_connected')).toBe(all);
});
