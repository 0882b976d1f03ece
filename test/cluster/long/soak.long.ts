import { writeFileSync } from 'node:fs';
import { startCluster } from '../../support/cluster';
import { Ledger } from '../../support/ledger';
import { Levels } from '../../support/levels';
import { movingDoors } from '../../support/moving-doors';
import { isAlive } from '../../support/processes';
import { RandomFaults } from '../../support/random-faults';
import { nothing } from '../../support/under-load';
import { eventually, sleep } from '../../support/waiting';
import { markdownTable } from '../../support/markdown';

const totalMs = Number(process.env['SHOAL_SOAK_MINUTES'] ?? 10) * 60_000;
const seed = Number(process.env['SHOAL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const model = 'simple';
const say = (text: string) => void process.stdout.write(`${text}\n`);

jest.setTimeout(totalMs + 300_000);

test('random faults for a while: every request is accounted for, and nothing grows', async () => {
  say(`soak: ${totalMs / 60_000} minutes, seed ${seed} (--seed ${seed} repeats the faults)`);
  const cluster = await startCluster(
    { [model]: { append: 'dynamic_batching { }' } },
    { router: 2, batching: 2, 'model-worker': 3 },
    { network: true },
  );
  if (!cluster) throw new Error('a soak needs nats-server');
  const watched = [
    ...(['router', 'batching', 'model-worker'] as const).flatMap((service) => cluster.living(service).slice(0, 1)),
  ];
  const levels = new Levels();
  const faults = new RandomFaults(cluster, seed);
  const doors = movingDoors(cluster.openDoors);
  const ledger = new Ledger(model, doors, 4, totalMs + 120_000);
  const started = performance.now();
  const passed = () => performance.now() - started;
  const over = new AbortController();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      for (const { name, pid } of watched) levels.sample(name, pid, passed());
      for (const pid of watched[2]?.runners() ?? []) levels.sample('its runner', pid, passed());
      await sleep(1_000);
    }
  })();
  try {
    while (passed() < totalMs) {
      const fault = await faults.next();
      // Until all of them serve again: two at a time may be one too many.
      await cluster.ready();
      for (const worker of cluster.living('model-worker')) {
        await eventually(`${worker.name} has a runner`, () => worker.runners().length > 0, 60_000);
      }
      const before = ledger.answered;
      await eventually('the load goes on', () => ledger.answered > before + 100, 30_000);
      const { asked, answered, failed } = ledger;
      say(`${Math.round(passed() / 1000)} s  ${fault}  sent ${asked}, answered ${answered}, errors ${failed.length}`);
    }
  } finally {
    over.abort();
    await ledger.stop();
    await sampling;
    for (const { client } of doors) client.close();
    await cluster.close();
  }
  const errors = new Map<string, number>();
  for (const { code, details } of ledger.failed) {
    const text = `${code}: ${details.replace(/\d+\.\d+\.\d+\.\d+(:\d+)?/g, 'ADDRESS')}`;
    errors.set(text, (errors.get(text) ?? 0) + 1);
  }
  const rows = levels.judge(totalMs);
  const { asked, answered, failed, hung, doubled, wrong } = ledger;
  const counts = {
    sent: asked,
    answered,
    errors: failed.length,
    lost: hung.length,
    doubled: doubled.length,
    wrong: wrong.length,
  };
  const report = {
    minutes: totalMs / 60_000,
    seed,
    counts,
    faults: Object.fromEntries(faults.done),
    errors: Object.fromEntries(errors),
    levels: rows,
  };
  say(`\n${markdownTable(Object.keys(counts), [Object.values(counts)])}\n`);
  say(
    `${markdownTable(
      ['fault', 'times'],
      [...faults.done].toSorted(([a], [b]) => a.localeCompare(b)),
    )}\n`,
  );
  say(`${markdownTable(['error', 'times'], [...errors])}\n`);
  say(
    markdownTable(
      ['process', 'memory, MB, 2nd quarter → last', 'descriptors', 'flat'],
      rows.map(({ process, mb, files, flat }) => [
        process,
        mb.map(Math.round).join(' → '),
        files.join(' → '),
        flat ? 'yes' : 'NO',
      ]),
    ),
  );
  const out = process.env['SHOAL_REPORT'];
  if (out) writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`);
  expect(ledger.faults).toEqual(nothing);
  expect(
    failed.filter(({ code }) => code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED' && code !== 'STREAMED'),
  ).toEqual([]);
  expect(rows.filter(({ flat }) => !flat)).toEqual([]);
  expect(watched.filter(({ pid }) => isAlive(pid))).toEqual([]);
});
