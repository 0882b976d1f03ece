import { getPriority } from 'node:os';
import { ClusterCertificates } from '../support/certificates';
import { type Cluster, startCluster } from '../support/cluster';
import { ExplainClient } from '../support/explain-client';
import { type DiabetesFixture, diabetesRequest, explainFixture, rowsOf } from '../support/explain-requests';
import { float32 } from '../support/tensors';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const { background, cases, tolerance } = explainFixture<DiabetesFixture>('diabetes-mlp');
const counts = { router: 2, batching: 1, 'model-worker': 2 };
const models = { diabetes_mlp: {} };
const certificates = new ClusterCertificates();
let cluster: Cluster | undefined;
let clients: ExplainClient[] = [];

/** Explains through a router, once one of the instances is known there. */
async function expectExplained(client: ExplainClient): Promise<void> {
  const answer = await eventually('it is explained', () => client.explain(diabetesRequest({ exact: {} })), 20_000);
  const values = answer.outputs[0]?.values ?? [];
  const want = cases[0]?.shapley.map(([value]) => value as number) ?? [];
  expect(values).toHaveLength(want.length);
  values.forEach((value, at) => expect(Math.abs(value - (want[at] ?? NaN))).toBeLessThanOrEqual(tolerance));
}

afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await cluster?.close();
  cluster = undefined;
});
afterAll(() => certificates.delete());

test('any router hands on; an instance that ends or dies takes its calls with it and no others', async () => {
  cluster = await startCluster(models, counts);
  if (!cluster) return;
  clients = cluster.doors.map(({ address }) => new ExplainClient(address));
  const [first, second] = clients as [ExplainClient, ExplainClient];
  expect(await first.failure('Explain', diabetesRequest())).toMatchObject({
    code: 'UNAVAILABLE',
    details: expect.stringContaining('shoal explainability --nats URL') as string,
  });
  const one = await cluster.start('explainability');
  await Promise.all(clients.map(expectExplained));
  expect(getPriority(one.pid)).toBeGreaterThanOrEqual(10);

  // A gradient twin is served like any model, whatever the workers' mode.
  const gradients = await first.explain(diabetesRequest({ integrated_gradients: {} }), { deadlineMs: 40_000 });
  expect(Math.abs(gradients.outputs[0]?.additivity_gap ?? 1)).toBeLessThan(5e-3);

  // What is stored through one is known to all.
  const rows = rowsOf(float32('input', [background.length, 10], background.flat()));
  await first.call('PutBackground', { name: 'stored', rows });
  const two = await cluster.start('explainability');
  const named = diabetesRequest({ baseline: { background: 'stored' } });
  const inline = await first.explain(diabetesRequest());
  await eventually('both know the background', async () => (await second.explain(named)).background.rows > 0);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => clients[i % 2]!.explain(named)));
  for (const answer of answers) expect(answer.outputs).toEqual(inline.outputs);

  // Killed: what it was at goes on at the other one; who has no other is told.
  const long = diabetesRequest({ permutation: {}, budget: { max_evaluations: 1_000_000 } });
  const failures = [1, 2].map(() => first.failure('Explain', long, { deadlineMs: 60_000 }));
  const predictions = async () => {
    const stats = await cluster?.doors[0]?.client.call('ModelStatistics', { name: 'diabetes_mlp' });
    return (stats?.model_stats ?? []).reduce((sum, { inference_count: count }) => sum + count, 0);
  };
  const before = await predictions();
  await eventually('both are at work', async () => (await predictions()) > before + 10_000);
  await one.kill();
  await Promise.all(clients.map(expectExplained));
  const between = await predictions();
  await eventually('the other is at work', async () => (await predictions()) > between + 10_000);
  await two.kill();
  expect((await Promise.all(failures)).map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  const three = await cluster.start('explainability');
  await Promise.all(clients.map(expectExplained));
  await three.stop();
});

test('with TLS at the port, on links and to NATS', async () => {
  cluster = await startCluster(models, { ...counts, explainability: 1 }, { security: certificates });
  if (!cluster) return;
  clients = cluster.doors.map(({ address }) => new ExplainClient(address, certificates.credentials));
  await Promise.all(clients.map(expectExplained));
  // Who is no member cannot call an instance itself.
  const address = /Takes routers' calls at (\S+)/.exec(cluster.living('explainability')[0]?.output ?? '')?.[1] ?? '';
  const strangers = [undefined, certificates.credentials].map((security) => new ExplainClient(address, security));
  for (const stranger of strangers) {
    expect((await stranger.failure('ListMethods', {})).code).toBe('UNAVAILABLE');
    stranger.close();
  }
});
