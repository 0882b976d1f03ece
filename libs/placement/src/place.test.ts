import { type Random, seededRandom, systemRandom } from '@shoal/core';
import { type PlaceModel, type PlaceWorker, place } from './place';

const seed = Number(process.env['SEED'] ?? Math.floor(systemRandom.next() * 1_000_000));
const rounds = 300;

beforeAll(() => console.info(`SEED=${seed}`));

const pick = (random: Random, below: number) => Math.floor(random.next() * below);

/** A cluster at random; `roomy`: memory and devices never matter. */
function cluster(random: Random, roomy: boolean): { workers: PlaceWorker[]; models: PlaceModel[] } {
  const workers = Array.from({ length: 1 + pick(random, 7) }, (_, i) => ({
    id: `worker-${i}`,
    memoryBytes: roomy ? 1e9 : pick(random, 100),
    gpus: roomy ? 0 : pick(random, 2),
    leaving: !roomy && pick(random, 6) === 0,
  }));
  const models = Array.from({ length: 1 + pick(random, 12) }, (_, i): PlaceModel => {
    const memoryBytes = pick(random, 40);
    const gpu = pick(random, 4) === 0;
    return {
      model: `model-${i}`,
      since: pick(random, 5),
      replicas: pick(random, 4) === 0 ? 'all' : 1 + pick(random, 4),
      candidates: workers
        .filter(() => roomy || pick(random, 5) > 0)
        .map(({ id }) => ({
          worker: id,
          memoryBytes,
          gpu,
          ...(!roomy && pick(random, 6) === 0 && { refusal: { code: 'INTERNAL', message: 'broken' } }),
        })),
    };
  });
  return { workers, models };
}

function each(roomy: boolean, check: (of: ReturnType<typeof cluster>, random: Random) => void): void {
  for (let round = 0; round < rounds; round += 1) {
    const random = seededRandom(seed + round);
    check(cluster(random, roomy), random);
  }
}

test('nobody is chosen beyond their memory, without the device, while they leave, or against their word', () => {
  each(false, ({ workers, models }) => {
    const placed = place(workers, models);
    const used = new Map<string, number>();
    const haveGpus = workers.some(({ gpus, leaving }) => gpus > 0 && !leaving);
    for (const { model, candidates } of models) {
      const { chosen } = placed.get(model)!;
      expect(new Set(chosen).size).toBe(chosen.length);
      for (const id of chosen) {
        const candidate = candidates.find(({ worker }) => worker === id)!;
        const worker = workers.find((one) => one.id === id)!;
        expect(candidate.refusal).toBeUndefined();
        expect(worker.leaving).toBe(false);
        expect(candidate.gpu && haveGpus && worker.gpus === 0).toBe(false);
        used.set(id, (used.get(id) ?? 0) + candidate.memoryBytes);
      }
    }
    for (const { id, memoryBytes } of workers) expect(used.get(id) ?? 0).toBeLessThanOrEqual(memoryBytes);
  });
});

test('as many are chosen as are wanted, or it is said why not', () => {
  each(false, ({ workers, models }) => {
    const placed = place(workers, models);
    for (const { model, replicas } of models) {
      const { chosen, short } = placed.get(model)!;
      const wanted = replicas === 'all' ? 1 : replicas;
      expect(short === undefined).toBe(chosen.length >= wanted);
      expect(replicas !== 'all' && chosen.length > replicas).toBe(false);
      expect(short?.message).not.toBe('');
    }
  });
});

test('the order in which things are heard does not matter', () => {
  each(false, ({ workers, models }, random) => {
    const shuffle = <T>(all: readonly T[]) =>
      all
        .map((one) => ({ one, at: random.next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one);
    const mixed = shuffle(models).map((model) => ({ ...model, candidates: shuffle(model.candidates) }));
    const [a, b] = [place(workers, models), place(shuffle(workers), mixed)];
    expect(Object.fromEntries(b)).toEqual(Object.fromEntries(a));
  });
});

test('where there is room, a worker that goes moves its own copies only, one that comes takes what it gains', () => {
  each(true, ({ workers, models }, random) => {
    const gone = workers[pick(random, workers.length)]!.id;
    const [all, without] = [
      place(workers, models),
      place(
        workers.filter(({ id }) => id !== gone),
        models,
      ),
    ];
    for (const { model } of models) {
      const before = all.get(model)!.chosen;
      const after = without.get(model)!.chosen;
      const lost = before.filter((id) => !after.includes(id));
      const gained = after.filter((id) => !before.includes(id));
      expect(lost).toEqual(before.includes(gone) ? [gone] : []);
      expect(gained.length).toBeLessThanOrEqual(lost.length);
    }
  });
});

test('a younger model never displaces an older one', () => {
  each(false, ({ workers, models }, random) => {
    const youngest = models.toSorted((a, b) => a.since - b.since || (a.model < b.model ? -1 : 1)).at(-1)!;
    const before = place(
      workers,
      models.filter((model) => model !== youngest),
    );
    const after = place(workers, [
      { ...youngest, since: youngest.since + pick(random, 3) },
      ...models.filter((model) => model !== youngest),
    ]);
    for (const [model, placed] of before) expect(after.get(model)).toEqual(placed);
  });
});

test('copies are spread: of many models each worker gets its share', () => {
  const workers = Array.from({ length: 4 }, (_, i) => ({ id: `w${i}`, memoryBytes: 1e9, gpus: 0, leaving: false }));
  const candidates = workers.map(({ id }) => ({ worker: id, memoryBytes: 1, gpu: false }));
  const models = Array.from({ length: 400 }, (_, i) => ({ model: `m${i}`, since: 0, replicas: 1, candidates }));
  const count = new Map<string, number>();
  for (const { chosen } of place(workers, models).values()) count.set(chosen[0]!, (count.get(chosen[0]!) ?? 0) + 1);
  for (const { id } of workers) expect(count.get(id)).toBeGreaterThan(60);
});

test('what keeps a model from being placed is said', () => {
  const worker = { id: 'w', memoryBytes: 10 * 2 ** 20, gpus: 0, leaving: false };
  const short = (
    change: Partial<PlaceWorker>,
    candidate: object,
    replicas: PlaceModel['replicas'] = 'all',
    more: PlaceWorker[] = [],
  ) =>
    place(
      [{ ...worker, ...change }, ...more],
      [{ model: 'm', since: 0, replicas, candidates: [{ worker: 'w', memoryBytes: 0, gpu: false, ...candidate }] }],
    ).get('m')?.short;
  const tooLarge = { memoryBytes: 20 * 2 ** 20 };
  expect(short({}, tooLarge)).toEqual({
    code: 'RESOURCE_EXHAUSTED',
    message: "'m' cannot be placed on any worker: 0 can take it; w has 10 of 10 MB left, and it takes about 20",
  });
  const gpuWorker = { ...worker, id: 'g', gpus: 1 };
  expect(short({}, { gpu: true }, 'all', [gpuWorker])?.message).toContain('w has no GPU');
  expect(short({ leaving: true }, {})).toEqual({ code: 'UNAVAILABLE', message: 'the server is shutting down' });
  const refusal = { code: 'INTERNAL', message: 'in Triton’s words' };
  expect(short({}, { refusal })).toEqual(refusal);
  expect(short({}, {}, 2)?.message).toBe("'m' cannot be placed on 2 workers: 1 can take it, no more are there");
  expect(place([], [{ model: 'm', since: 0, replicas: 'all', candidates: [] }]).get('m')?.short?.code).toBe(
    'UNAVAILABLE',
  );
});
