import { connect } from 'node:tls';
import { ClusterCertificates } from '../support/certificates';
import { type Cluster, type ClusterMember, startCluster } from '../support/cluster';
import { Ledger } from '../support/ledger';
import { StockClient } from '../support/stock-client';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const model = 'simple';
const nothing = { wrong: [], doubled: [], hung: [] };
const certificates = new ClusterCertificates();
let cluster: Cluster | undefined;

beforeAll(async () => {
  const counts = { router: 1, batching: 1, 'model-worker': 2 };
  cluster = await startCluster({ [model]: { append: 'dynamic_batching { }' } }, counts, { security: certificates });
});

afterAll(async () => {
  await cluster?.close();
  certificates.delete();
});

function addressOf({ output }: ClusterMember): string {
  return /Started GRPCInferenceService at (\S+)/.exec(output)?.[1] ?? '';
}

/** Under load, does `work`; gives back what came of each request. */
async function underLoad(doors: Cluster['doors'], work: () => Promise<unknown>): Promise<Ledger> {
  const ledger = new Ledger(model, doors, 4);
  await eventually('the load runs', () => ledger.answered > 50, 20_000);
  await work();
  const before = ledger.answered;
  await eventually('the load goes on', () => ledger.answered > before + 100, 20_000);
  await ledger.stop();
  return ledger;
}

test('with TLS at the port, on links and to NATS, requests are answered', async () => {
  if (!cluster) return;
  const ledger = await underLoad(cluster.doors, () => Promise.resolve());
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('clients without a certificate, with another’s, or without TLS are refused', async () => {
  if (!cluster) return;
  const address = addressOf(cluster.doors[0]!.member);
  const security = [certificates.foreignCredentials(false), certificates.foreignCredentials(true), undefined];
  for (const one of security) {
    const client = new StockClient(address, one);
    expect(await client.failure('ServerLive', {})).toMatchObject({ code: 'UNAVAILABLE' });
    client.close();
  }
  expect(await cluster.doors[0]!.client.call('ServerLive', {})).toEqual({ live: true });
});

test('all certificates and their authority are replaced under load: no request fails, and newcomers find all renewed', async () => {
  if (!cluster) return;
  const { members, doors } = cluster;
  const replaced = async (times: number) => {
    for (const member of members) {
      const seen = () => member.output.match(/certificate files were replaced[^\n]*/g)?.length ?? 0;
      // Each process follows those of its links and of its connection to NATS, routers also those of their port.
      await eventually(`${member.name} has taken up the new files`, () => seen() >= times, 30_000);
    }
  };
  const ledger = await underLoad(doors, async () => {
    certificates.trustAnother();
    await replaced(2);
    certificates.leaveTheOld();
    await replaced(4);
  });
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
  // NATS has had its certificate at its start: it is started anew, as it would be told to reload.
  certificates.issue('nats', ['localhost', '127.0.0.1']);
  await cluster.nats.kill();
  await cluster.nats.start();
  // Trusts the new authority only, and is trusted for it alone: by batching, by all runners, and by NATS.
  await cluster.start('router');
  await cluster.ready();
  const [, newcomer] = cluster.doors;
  const after = await underLoad([newcomer!], () => Promise.resolve());
  expect([after.faults, after.failed]).toEqual([nothing, []]);
  // The old router's port has the new certificate too.
  const port = Number(addressOf(doors[0]!.member).split(':').at(-1));
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca: certificates.ca, ALPNProtocols: ['h2'] }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
});
