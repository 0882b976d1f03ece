import { ClusterMember } from '../support/cluster';
import { NatsServer, findNatsServer, freePort } from '../support/nats';
import { TemporaryRepository } from '../support/repository';
import { StockClient } from '../support/stock-client';
import { isSimpleAnswer, simpleRequest } from '../support/tensors';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const members: ClusterMember[] = [];
const clients: StockClient[] = [];
const repository = new TemporaryRepository({ simple: {} });
let nats: NatsServer | undefined;

afterAll(async () => {
  for (const client of clients) client.close();
  await Promise.all(members.map((member) => member.kill()));
  await nats?.close();
  repository.delete();
});

async function start(service: string, ...args: string[]): Promise<{ member: ClusterMember; health: StockClient }> {
  const url = nats?.url ?? '';
  const member = new ClusterMember(service, [service, '--nats', url, '--health-address=127.0.0.1:0', ...args]);
  members.push(member);
  const [, address = ''] = await member.says(/Answers grpc\.health\.v1 at (\S+)/);
  const health = new StockClient(address);
  clients.push(health);
  return { member, health };
}

test('each service tells whether it lives, and whether it has joined and can do its work', async () => {
  const program = findNatsServer();
  if (program === undefined) return;
  nats = new NatsServer(program, await freePort());
  // NATS is not there yet.
  const router = await start('router', '--grpc-port=0');
  const batching = await start('batching');
  const worker = await start('model-worker', '--model-repository', repository.folder);
  const statuses = (service = '') =>
    Promise.all([router, batching, worker].map(async ({ health }) => (await health.check(service)).status));
  await batching.member.says(/Takes routers' links at/);
  await worker.member.says(/Runners take links at/);
  expect(await statuses('liveness')).toEqual(['SERVING', 'SERVING', 'SERVING']);
  expect(await statuses()).toEqual(['NOT_SERVING', 'NOT_SERVING', 'NOT_SERVING']);
  await nats.start();
  await eventually('all serve', async () => !(await statuses()).includes('NOT_SERVING'), 40_000);
  await nats.kill();
  expect(await statuses()).toEqual(['SERVING', 'SERVING', 'SERVING']);
  await nats.start();
});

test('a model whose last worker leaves in good order is UNAVAILABLE, and the router says so too', async () => {
  if (nats === undefined) return;
  const [router, , worker] = members;
  const [, address = ''] = (await router?.says(/Started GRPCInferenceService at (\S+)/)) ?? [];
  const client = new StockClient(address);
  clients.push(client);
  expect(isSimpleAnswer(await client.infer(simpleRequest(7)), 7)).toBe(true);
  await worker?.stop();
  await eventually('the router has heard of it', async () => (await clients[0]?.check())?.status === 'NOT_SERVING');
  expect(await client.failure('ModelInfer', simpleRequest(7))).toEqual({
    code: 'UNAVAILABLE',
    details: expect.stringContaining('no model-worker serves it now'),
  });
});
