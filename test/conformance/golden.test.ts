import { grpcCarriers } from '@shoal/rpc';
import { isDeepStrictEqual } from 'node:util';
import { type GoldenCase, decode, goldenCases, goldenFiles, pathOf, withoutVolatile } from '../support/golden';
import type { RawOutcome } from '../support/raw-client';
import { type ModelSource, fixtureModels } from '../support/repository';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32 } from '../support/tensors';
import { eventually } from '../support/waiting';
import { differences, outOfReach, pending } from './golden-differences';

const batchOf8 = (config: string) => config.replace(/max_batch_size: \d+/, 'max_batch_size: 8');

/** ONNX twins of the models that the answers were recorded with. */
const twins: Record<string, ModelSource> = {
  ...fixtureModels('simple', 'simple_string'),
  identity_bytes: { fixture: 'simple_identity' },
  identity_bool: { edit: batchOf8 },
  identity_uint8: { edit: batchOf8 },
  identity_fp16: { edit: batchOf8 },
  identity_fp32: { edit: batchOf8 },
  batcher_delay: { from: 'golden-models' },
  batcher_pref: { from: 'golden-models' },
  cached: { from: 'golden-models' },
  classify: { from: 'golden-models' },
  densenet_onnx: { from: 'golden-models' },
  fail_negative: { from: 'golden-models' },
  lc_one: { from: 'golden-models' },
  queue_max: { from: 'golden-models' },
  queue_prio: { from: 'golden-models' },
  queue_timeout: { from: 'golden-models' },
  slow: { from: 'golden-models' },
  versions: { from: 'golden-models' },
};

const all = goldenFiles.flatMap((file) => goldenCases(file));
const replayed = (name: string) => !(name in pending) && !(name in outOfReach);

let shoal: Shoal;

describe.each(grpcCarriers)('on %s', (carrier) => {
  beforeAll(async () => {
    const args = [
      '--model-control-mode=explicit',
      '--load-model=*',
      '--allow-client-shm=true',
      `--grpc-carrier=${carrier}`,
    ];
    shoal = await startShoal({ models: twins, args });
  }, 120_000);

  afterAll(() => shoal.stop(), 40_000);

  describe.each(goldenFiles)('%s', (file) => {
    const cases = goldenCases(file).filter(({ name }) => replayed(name));
    test.each(cases.map((one) => [one.name, one] as const))(
      '%s',
      async (name, golden) => {
        const before = await preparations[name]?.();
        const got = await replay(golden);
        await before?.restore?.();
        const recorded = { status: golden.status, details: golden.details, responses: recordedAnswers(golden) };
        const difference = differences[name];
        const wanted = {
          status: difference?.status ?? recorded.status,
          details: difference?.details ?? recorded.details,
          responses: difference?.adjust?.(recorded.responses, Object.keys(twins)) ?? recorded.responses,
        };
        if (wanted.status !== 'OK') wanted.responses = [];
        const answer = {
          ...got,
          details: spokenDetails(got),
          responses: got.responses.map((bytes) => read(golden, bytes)),
        };
        expect(answer).toEqual(wanted);
        // A difference that is none any more must leave the table.
        expect(isDeepStrictEqual(answer, recorded)).toBe(difference === undefined);
      },
      20_000,
    );
  });
});

test('all but the pending cases are replayed, and only sequences, ensembles and decoupled answers are pending', () => {
  const later = /^(seq_|simple_dyna_sequence|ensemble_|repeat_)/;
  const needLater = all.filter((golden) => modelsOf(golden).some((model) => later.test(model)));
  expect(all).toHaveLength(152);
  expect(Object.keys(pending).toSorted()).toEqual(needLater.map(({ name }) => name).toSorted());
  expect(Object.keys(pending)).toHaveLength(16);
  const bf16 = all.filter((golden) => modelsOf(golden).includes('identity_bf16'));
  expect(Object.keys(outOfReach).toSorted()).toEqual(bf16.map(({ name }) => name).toSorted());
  expect(Object.keys(differences).filter((name) => !replayed(name) || !all.some((one) => one.name === name))).toEqual(
    [],
  );
});

interface Prepared {
  /** Puts things back after the case. */
  readonly restore?: () => Promise<unknown>;
}

const load = () => shoal.client.call('RepositoryModelLoad', { model_name: 'lc_one' });
const unload = () => shoal.client.call('RepositoryModelUnload', { model_name: 'lc_one' });

/** What had been done to the server before the case was recorded. */
const preparations: Readonly<Record<string, () => Promise<Prepared>>> = {
  async err_queue_full() {
    const one = inferRequest('queue_max', [int32('INPUT0', [1, 1], [7]), int32('DELAY_MS', [1, 1], [0])]);
    const waiting = [1, 2, 3].map(() => shoal.client.infer(one));
    // A fourth one that is let in is withdrawn at once.
    await eventually('three requests wait', async () => {
      const { code } = await shoal.client.failure('ModelInfer', one, { deadlineMs: 100 });
      return code === 'UNAVAILABLE';
    });
    return { restore: () => Promise.all(waiting) };
  },
  async err_unloaded() {
    await unload();
    return {};
  },
  err_unloaded_version: () => Promise.resolve({ restore: load }),
  async model_ready_unloaded() {
    await unload();
    return {};
  },
  err_metadata_unloaded: () => Promise.resolve({ restore: load }),
  async statistics_two_of_batch_3() {
    const three = inferRequest('lc_one', [int32('INPUT0', [3, 1], [1, 2, 3])]);
    for (let i = 0; i < 2; i += 1) await shoal.client.infer(three);
    await eventually('both are counted', async () => {
      const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: 'lc_one' });
      return stats[0]?.execution_count === 2;
    });
    return {};
  },
};

function replay(golden: GoldenCase): Promise<RawOutcome> {
  const path = pathOf(golden);
  if (golden.kind === 'unary') return shoal.raw.unary(path, bytesOf(golden.request), golden.metadata);
  return shoal.raw.stream(path, (golden.requests ?? []).map(bytesOf), golden.metadata);
}

function recordedAnswers(golden: GoldenCase): readonly unknown[] {
  if (golden.kind === 'stream') return (golden.responses ?? []).map((text) => read(golden, bytesOf(text)));
  return golden.status === 'OK' ? [read(golden, bytesOf(golden.response))] : [];
}

function read(golden: GoldenCase, bytes: Buffer): unknown {
  return withoutVolatile(decode(golden, bytes), golden.volatile ?? []);
}

/** grpc-js ends a stream that went well with the text "OK", grpc-core with none; no client looks at it. */
function spokenDetails({ status, details }: RawOutcome): string {
  return status === 'OK' && details === 'OK' ? '' : details;
}

function bytesOf(base64 = ''): Buffer {
  return Buffer.from(base64, 'base64');
}

/** Names of the models that a case asks for. */
function modelsOf({ request_json: one, requests_json: many = [] }: GoldenCase): string[] {
  return [one ?? {}, ...many].map(({ model_name: model = '', name = '' }) => model || name);
}
