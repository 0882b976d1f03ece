import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalBus } from '@shoal/bus';
import type { BucketCurve } from '@shoal/scheduler';
import { silentLogger } from '@shoal/telemetry';
import { FakeClock } from '@shoal/testing';
import { CurveKeeper } from './curve-keeper';
import { type CurveStore, readCurves } from './curve-store';
import { fileCurves } from './file-curves';
import { stateCurves } from './state-curves';

const curve: BucketCurve = { bucket: 11, alphaMs: 4, betaMs: 0.5, high: 1.2, samples: 300 };

let folder: string;
const path = () => join(folder, 'latency.json');
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'curves-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A keeper of these curves, and what it recalled. */
function keeperOf(store: CurveStore, clock: FakeClock, learnt: Map<string, readonly BucketCurve[]>) {
  const recalled = new Map<string, readonly BucketCurve[]>();
  const source = {
    learnt: () => learnt,
    recall: (name: string, curves: readonly BucketCurve[]) => void recalled.set(name, curves),
  };
  return { keeper: new CurveKeeper(store, source, clock), recalled };
}

const stores: [string, (bus: ReturnType<typeof createLocalBus>) => Promise<CurveStore>][] = [
  ['a file', () => fileCurves(path(), silentLogger)],
  ['the state', (bus) => Promise.resolve(stateCurves(bus.state, silentLogger))],
];

test.each(stores)('what is learnt is known after a restart, kept in %s', async (_, open) => {
  const clock = new FakeClock(0);
  const bus = createLocalBus({ clock });
  const first = keeperOf(await open(bus), clock, new Map([['m/1', [curve]]]));
  await first.keeper.close();
  const second = keeperOf(await open(bus), clock, new Map());
  await new Promise(setImmediate);
  expect(second.recalled).toEqual(new Map([['m/1', [curve]]]));
  expect(second.keeper.known('m/1')).toEqual([curve]);
  expect(second.keeper.known('m/2')).toEqual([]);
  await second.keeper.close();
});

test('written each minute, where it changed by much, and only what rests on enough', () => {
  const clock = new FakeClock(0);
  const written: [string, readonly BucketCurve[]][] = [];
  const store: CurveStore = {
    watch: () => undefined,
    put: (name, curves) => written.push([name, curves]),
    close: () => Promise.resolve(),
  };
  const learnt = new Map<string, readonly BucketCurve[]>([['few/1', [{ ...curve, samples: 63 }]]]);
  keeperOf(store, clock, learnt);
  clock.advance(60_000);
  expect(written).toEqual([]);
  learnt.set('m/1', [curve]);
  clock.advance(60_000);
  learnt.set('m/1', [{ ...curve, alphaMs: 4.5, samples: 400 }]);
  clock.advance(60_000);
  expect(written).toEqual([['m/1', [curve]]]);
  const slower = { ...curve, alphaMs: 6 };
  learnt.set('m/1', [slower]);
  clock.advance(60_000);
  // What is known of other shapes stays.
  const other = { ...curve, bucket: 20 };
  learnt.set('m/1', [other]);
  clock.advance(60_000);
  expect(written.slice(1)).toEqual([
    ['m/1', [slower]],
    ['m/1', [slower, other]],
  ]);
});

test('what is known of one size only replaces no curve that says more', async () => {
  const clock = new FakeClock(0);
  const store = await fileCurves(path(), silentLogger);
  store.put('m/1', [curve]);
  const { keeper } = keeperOf(store, clock, new Map([['m/1', [{ ...curve, alphaMs: 4.5, betaMs: 0 }]]]));
  await keeper.close();
  expect(keeper.known('m/1')).toEqual([curve]);
  const empty = await fileCurves(`${path()}.2`, silentLogger);
  const flat = { ...curve, betaMs: 0 };
  const other = keeperOf(empty, clock, new Map([['m/1', [flat]]]));
  await other.keeper.close();
  expect(other.keeper.known('m/1')).toEqual([flat]);
});

test.each([
  ['nothing', undefined],
  ['another form', { v: 2, curves: [curve] }],
  ['no list', { v: 1, curves: { 0: curve } }],
  ['no number', { v: 1, curves: [{ ...curve, alphaMs: '4' }] }],
  ['less than nothing', { v: 1, curves: [curve, { ...curve, betaMs: -1 }] }],
  ['no time at all', { v: 1, curves: [{ ...curve, alphaMs: 0, betaMs: 0 }] }],
  ['a bucket that is none', { v: 1, curves: [{ ...curve, bucket: 1e9 }] }],
  ['too many', { v: 1, curves: Array.from({ length: 65 }, () => curve) }],
])('what was written is not believed blindly: %s', (_, kept) => {
  expect(readCurves(kept)).toEqual([]);
});

test('what does not belong is left out', () => {
  expect(readCurves({ v: 1, curves: [{ ...curve, more: 'x' }] })).toEqual([curve]);
});

test.each(['', 'no json', '[1', '7', 'null', '{"m/1":{"v":1,"curves":[{}]}}'])(
  'a file with %j counts as empty',
  async (text) => {
    writeFileSync(path(), text);
    const store = await fileCurves(path(), silentLogger);
    store.watch((name) => expect(name).toBe('never'));
    store.put('m/1', [curve]);
    store.put('m/2', [curve]);
    await store.close();
    expect(Object.keys(JSON.parse(readFileSync(path(), 'utf8')) as object)).toEqual(['m/1', 'm/2']);
    expect(readdirSync(folder)).toEqual(['latency.json']);
  },
);

test('a file that cannot be written stops nobody', async () => {
  const store = await fileCurves(join(folder, 'none', 'latency.json'), silentLogger);
  store.put('m/1', [curve]);
  await expect(store.close()).resolves.toBeUndefined();
});
