import { writeFileSync } from 'node:fs';
import { type Cluster, startCluster } from '../../support/cluster';
import { type Harm, type Victim, faultModels, harms, injectFault, victims } from '../../support/fault-cell';
import { markdownTable } from '../../support/markdown';
import type { Outcome, Phase, Tracked } from '../../support/tracker';

jest.setTimeout(180_000);

const phases: readonly Phase[] = ['queued', 'in batch', 'running', 'replying'];
/** Nobody can answer for a router that is gone. */
const mayFail = (victim: Victim, harm: Harm) => victim === 'router' && harm === 'SIGKILL';

interface Row {
  readonly victim: Victim;
  readonly harm: Harm;
  readonly outcomes: readonly Tracked[];
}

const rows: Row[] = [];
let cluster: Cluster | undefined;

beforeAll(async () => {
  cluster = await startCluster(faultModels, { router: 2, batching: 2, 'model-worker': 3 }, { network: true });
  if (!cluster) throw new Error('the matrix needs nats-server');
});

afterAll(async () => {
  await cluster?.close();
  process.stdout.write(`${table()}\n`);
  const out = process.env['SHOAL_REPORT'];
  if (out) writeFileSync(out, `${JSON.stringify(rows, undefined, 2)}\n`);
});

describe.each(victims)('%s', (victim) => {
  test.each(harms)('%s', async (harm) => {
    if (!cluster) return;
    const outcomes = await injectFault(cluster, victim, harm);
    rows.push({ victim, harm, outcomes });
    expect(outcomes.filter(({ outcome }) => outcome !== 'answered' && outcome !== 'failed')).toEqual([]);
    if (!mayFail(victim, harm)) expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    else expect(outcomes.filter(({ error }) => error !== '' && !error.startsWith('UNAVAILABLE'))).toEqual([]);
  });
});

/** Answered of asked for each phase; then what must be none. */
function table(): string {
  const count = (outcomes: readonly Tracked[], wanted: Outcome) => outcomes.filter((o) => o.outcome === wanted).length;
  return markdownTable(
    ['who', 'how', ...phases, 'definite errors', 'lost', 'doubled', 'wrong'],
    rows.map(({ victim, harm, outcomes }) => [
      victim,
      harm,
      ...phases.map((phase) => {
        const asked = outcomes.filter((o) => o.phase === phase);
        return `${count(asked, 'answered')}/${asked.length}`;
      }),
      count(outcomes, 'failed'),
      count(outcomes, 'lost'),
      count(outcomes, 'doubled'),
      count(outcomes, 'wrong'),
    ]),
  );
}
