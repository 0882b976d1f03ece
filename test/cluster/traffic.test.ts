import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cluster, startCluster } from '../support/cluster';
import { Ledger } from '../support/ledger';
import { cli } from '../support/paths';
import { simpleRequest } from '../support/tensors';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const run = promisify(execFile);
const model = 'simple';
const nothing = { wrong: [], doubled: [], hung: [] };
let cluster: Cluster | undefined;

beforeAll(async () => {
  const append = 'dynamic_batching { }\nversion_policy: { all { } }';
  cluster = await startCluster({ [model]: { append, copies: [2] } }, { router: 2, batching: 1, 'model-worker': 1 });
});

afterAll(async () => {
  await cluster?.close();
});

/** A command against one of the routers. */
async function command(door: number, ...argv: string[]): Promise<string> {
  const [, address = ''] =
    /Started GRPCInferenceService at (\S+)/.exec(cluster?.doors[door]?.member.output ?? '') ?? [];
  const { stdout } = await run(process.execPath, [cli, ...argv, '--url', address]);
  return stdout;
}

/** The version that a request without one gets at each router. */
async function versions(metadata: Record<string, string> = {}): Promise<string[]> {
  const answers = (cluster?.doors ?? []).map(({ client }) => client.infer(simpleRequest(1, {}, model), { metadata }));
  return (await Promise.all(answers)).map((answer) => answer.model_version);
}

async function everywhere(version: string, metadata?: Record<string, string>): Promise<void> {
  await eventually(`version ${version} answers everywhere`, async () =>
    (await versions(metadata)).every((one) => one === version),
  );
}

test('rules that are set at one router hold at the other, and the counters are those of both', async () => {
  if (!cluster) return;
  await everywhere('2');
  await command(0, 'traffic', model, '--canary=2', '--percent=0', '--header=x-canary');
  await everywhere('1');
  await everywhere('2', { 'x-canary': '' });
  // A user is on the same side everywhere.
  await command(1, 'traffic', model, '--percent=50', '--sticky=x-user');
  await eventually('both follow', async () => (await command(0, 'traffic', model)).includes('2 routers counted'));
  const sides = new Set<string>();
  for (let user = 0; user < 12; user += 1) {
    const [one, other] = await versions({ 'x-user': `user-${user}` });
    expect(one).toBe(other);
    sides.add(one ?? '');
  }
  expect([...sides].sort()).toEqual(['1', '2']);
  const shown = await command(1, 'traffic', model);
  const requests = [...shown.matchAll(/(\d+) requests/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  expect(requests).toBe(24);
});

test('promoted, rolled back and shadowed under load: no request fails', async () => {
  if (!cluster) return;
  await command(0, 'traffic', model, '--clear');
  const ledger = new Ledger(model, cluster.doors, 6);
  const goesOn = async () => {
    const before = ledger.answered;
    await eventually('the load goes on', () => ledger.answered > before + 100, 20_000);
  };
  await goesOn();
  await command(0, 'traffic', model, '--canary=2', '--percent=50', '--shadow=2');
  // A shadow has little time while others come.
  const [, compared, equal] = await eventually('some answers are compared', async () => {
    const shown = await command(1, 'traffic', model);
    return /([1-9]\d*) compared: (\d+) equal, 0 different/.exec(shown) ?? undefined;
  });
  expect(equal).toBe(compared);
  await command(1, 'promote', model);
  await everywhere('2');
  await goesOn();
  await command(0, 'rollback', model);
  await goesOn();
  await ledger.stop();
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('rules outlive the routers that were told of them', async () => {
  if (!cluster) return;
  await command(0, 'traffic', model, '--stable=1', '--no-canary', '--no-shadow');
  await everywhere('1');
  for (const { member } of cluster.doors.splice(0)) await member.kill();
  await cluster.start('router');
  await cluster.ready();
  // From its first answer on: it knows the rules before it says that it is ready.
  expect(await versions()).toEqual(['1']);
});
