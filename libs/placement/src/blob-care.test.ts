import { type Bus, type Desire, createLocalBus, desiredPrefix } from '@shoal/bus';
import { FakeClock } from '@shoal/testing';
import { BlobCare } from './blob-care';
import { PlacementView } from './placement-view';
import { desire, turns } from './testing/announced';

let bus: Bus;
let clock: FakeClock;
let view: PlacementView;
let care: BlobCare;

beforeEach(() => {
  clock = new FakeClock();
  bus = createLocalBus({ clock });
  view = new PlacementView(bus, clock, 0);
  care = new BlobCare(bus, view, clock);
});

afterEach(async () => {
  view.close();
  await bus.close();
});

async function want(model: string, digests: readonly string[]): Promise<void> {
  const files = digests.map((digest) => ({ path: '1/model.onnx', digest, bytes: 1 }));
  await bus.state.put<Desire>(desiredPrefix + model, desire({ files }));
  await turns();
}

test('files that a changed model no longer names go at once, unless another names them', async () => {
  const [old, shared, fresh] = [
    await bus.blobs.put(Buffer.from('old')),
    await bus.blobs.put(Buffer.from('shared')),
    await bus.blobs.put(Buffer.from('fresh')),
  ];
  await want('other', [shared]);
  await want('m', [fresh]);
  care.uploaded('m', [old, shared, fresh]);
  await care.tidy('m');
  expect(new Set(await bus.blobs.list())).toEqual(new Set([shared, fresh]));
});

test('what nobody names may belong to a call under way, and goes after ten minutes', async () => {
  const stray = await bus.blobs.put(Buffer.from('stray'));
  await care.tidy('m');
  clock.advance(10 * 60_000 - 1);
  await care.tidy('m');
  expect(await bus.blobs.list()).toEqual([stray]);
  clock.advance(1);
  await care.tidy('m');
  expect(await bus.blobs.list()).toEqual([]);
});

test('a file that another removed, and that is uploaded again, has its ten minutes anew', async () => {
  const stray = await bus.blobs.put(Buffer.from('stray'));
  await care.tidy('m');
  await bus.blobs.delete(stray);
  await care.tidy('m');
  clock.advance(10 * 60_000);
  await bus.blobs.put(Buffer.from('stray'));
  await care.tidy('m');
  expect(await bus.blobs.list()).toEqual([stray]);
});
