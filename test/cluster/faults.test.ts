import { type Cluster, startCluster } from '../support/cluster';
import { type Harm, type Victim, faultModels, injectFault } from '../support/fault-cell';

/* A few cells of the matrix that `npm run faults` goes through. */

jest.setTimeout(180_000);

let cluster: Cluster | undefined;

beforeAll(async () => {
  cluster = await startCluster(faultModels, { router: 2, batching: 2, 'model-worker': 2 }, { network: true });
});

afterAll(async () => {
  await cluster?.close();
});

const cells: readonly [Victim, Harm][] = [
  ['batching', 'silence'],
  ['runner', 'cut'],
];

test.each(cells)('%s, %s: every request in flight is answered', async (victim, harm) => {
  if (!cluster) return;
  const outcomes = await injectFault(cluster, victim, harm);
  expect(outcomes.filter(({ outcome }) => outcome !== 'answered')).toEqual([]);
  expect(new Set(outcomes.map(({ phase }) => phase)).size).toBe(4);
});
