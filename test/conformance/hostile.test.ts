import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { fixtures, root } from '../support/paths';
import { residentMb } from '../support/processes';
import { TemporaryRepository } from '../support/repository';
import { type Shoal, startShoal } from '../support/shoal';
import type { Failure, ModelInferRequest, ModelInferResponse } from '../support/stock-client';
import {
  type Tensor,
  float32,
  float32Output,
  inferRequest,
  int64,
  isSimpleAnswer,
  simpleRequest,
} from '../support/tensors';
import { eventually } from '../support/waiting';

/** Models that a safe server refuses, and what its reason must say. */
const refused: Readonly<Record<string, RegExp>> = {
  batch_on_fixed_model: /does not support batching/,
  config_default_filename_traversal: /must be a file name, not a path/,
  config_labels_traversal: /inside the model folder/,
  config_name_differs: /directory name must equal model name/,
  config_other_platform: /onnxruntime_onnx/,
  config_syntax_error: /config\.pbtxt: \d+:\d+:/,
  config_unknown_input: /unexpected inference input 'zzz', allowed inputs are: x/,
  config_wrong_dims: /\[-1,4\].*\[-1,5\]/,
  config_wrong_type: /TYPE_INT64.*TYPE_FP32/,
  cycle: /not acyclic/,
  dangling_input: /'nowhere'/,
  empty_file: /does not have a graph/,
  external_dotenv: /must stay inside the model's version folder/,
  external_missing: /'external_missing\/1\/weights\.bin'/,
  external_short: /out of bounds/,
  external_symlink: /must stay inside the model's version folder/,
  external_traversal_absolute: /must stay inside the model's version folder/,
  external_traversal_hostname: /must stay inside the model's version folder/,
  future_opset: /Opset 99/,
  nesting_5000: /nested too deeply/,
  no_version_folder: /at least one version/,
  not_onnx: /no ONNX model/,
  slow_load: /did not load within 6 s/,
  text_file: /no ONNX model/,
  truncated: /damaged/,
  type_mismatch: /different types/,
  unknown_domain: /com\.example:Magic/,
  unknown_op: /FrobnicateTensor/,
};

/** Models that load: their harm, if any, comes with a request. */
const served = [
  'endless_loop',
  'external_ok',
  'huge_constant',
  'huge_input_declared',
  'huge_on_request',
  'nan_output',
  'nesting_15',
  'output_bomb',
  'overflowing_shape',
];

const names = readdirSync(path.join(fixtures, 'hostile')).toSorted();

let repository: TemporaryRepository;
let outside: string;
let shoal: Shoal;
const neighbour = { answered: 0, failures: [] as string[], stopped: false, done: Promise.resolve() };
const loads = new Map<string, Failure>();
/** Everything that a client was told. */
const told: string[] = [];

beforeAll(async () => {
  outside = mkdtempSync(path.join(tmpdir(), 'shoal-test-outside-'));
  const secret = path.join(outside, 'secret.bin');
  writeFileSync(secret, Buffer.from(Float32Array.of(1234.5, 1234.5, 1234.5, 1234.5).buffer));
  repository = new TemporaryRepository({ simple: {} });
  for (const name of names) repository.add(name, { from: 'hostile' });
  symlinkSync(secret, repository.path('external_symlink', '1', 'weights.bin'));
  shoal = await startShoal({
    repository,
    args: [
      '--model-control-mode=explicit',
      '--load-model=simple',
      '--strict-readiness=false',
      '--model-load-timeout-secs=6',
      '--model-run-timeout-secs=3',
      '--runner-memory-limit-mb=1500',
    ],
  });
  neighbour.done = queryNeighbour();
  await loadAll();
}, 120_000);

afterAll(async () => {
  neighbour.stopped = true;
  await neighbour.done;
  await shoal.stop();
  repository.delete();
  rmSync(outside, { recursive: true });
}, 60_000);

/** The healthy model is asked all along; each answer must be right and come soon. */
async function queryNeighbour(): Promise<void> {
  for (let seed = 1; !neighbour.stopped; seed += 1) {
    try {
      const response = await shoal.client.infer(simpleRequest(seed), { deadlineMs: 10_000 });
      if (isSimpleAnswer(response, seed)) neighbour.answered += 1;
      else neighbour.failures.push(`${seed}: a wrong answer`);
    } catch (thrown) {
      neighbour.failures.push(`${seed}: ${String(thrown)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function loadAll(): Promise<void> {
  const waiting = [...names];
  const one = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      loads.set(name, await shoal.client.failure('RepositoryModelLoad', { model_name: name }));
    }
  };
  await Promise.all(Array.from({ length: 5 }, one));
  for (const { details } of loads.values()) told.push(details);
}

function infer(
  model: string,
  inputs: readonly Tensor[],
  more: Partial<ModelInferRequest> = {},
): Promise<ModelInferResponse> {
  return shoal.client.infer(inferRequest(model, inputs, more));
}

async function failureOfInfer(model: string, inputs: readonly Tensor[], deadlineMs?: number): Promise<Failure> {
  const failure = await shoal.client.failure(
    'ModelInfer',
    inferRequest(model, inputs),
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  told.push(failure.details);
  return failure;
}

test('every fixture is either refused or served', () => {
  expect([...Object.keys(refused), ...served].toSorted()).toEqual(names);
  expect(names).toHaveLength(37);
});

describe('refused', () => {
  test.each(Object.entries(refused))('%s', async (name, reason) => {
    const { code, details } = loads.get(name)!;
    expect(['INVALID_ARGUMENT', 'INTERNAL']).toContain(code);
    const { models } = await shoal.client.call('RepositoryIndex', {});
    const entries = models.filter((entry) => entry.name === name);
    expect(entries).toHaveLength(1);
    expect(entries[0]!.state).not.toBe('READY');
    told.push(entries[0]!.reason);
    expect(`${details} ${entries[0]!.reason}`).toMatch(reason);
    const request = await failureOfInfer(name, [float32('x', [1, 4], [1, 2, 3, 4])]);
    expect(['NOT_FOUND', 'UNAVAILABLE']).toContain(request.code);
  });
});

test.each(served)('%s loads', (name) => {
  expect(loads.get(name)).toEqual({ code: 'OK', details: '' });
});

test('external_ok: external data inside the version folder is used', async () => {
  const response = await infer('external_ok', [float32('x', [4], [10, 20, 30, 40])]);
  expect(float32Output(response, 'y')).toEqual([11, 22, 33, 44]);
});

test('nesting_15: legal nesting is served', async () => {
  const condition: Tensor = { name: 'c', datatype: 'BOOL', shape: [1], bytes: Buffer.from([1]) };
  const response = await infer('nesting_15', [float32('x', [4], [1, 2, 3, 4]), condition]);
  expect(float32Output(response, 'y')).toEqual([1, 2, 3, 4]);
});

test('nan_output: NaN and infinity are handed on', async () => {
  const response = await infer('nan_output', [float32('x', [1, 4], [-1, 0, 1, -2])]);
  expect(float32Output(response, 'y')).toEqual([Number.NaN, -Infinity, 0, Number.NaN]);
});

test('huge_constant: 80 GB wanted at each run fail the run, and nothing else', async () => {
  const { code } = await failureOfInfer('huge_constant', [float32('x', [1], [1])]);
  expect(['INTERNAL', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE']).toContain(code);
  expect(residentMb(shoal.pid)).toBeLessThan(1000);
});

test('huge_on_request: 80 GB asked for by a client fail that request alone', async () => {
  const small = () => infer('huge_on_request', [int64('s', [2], [2, 3])]);
  expect(float32Output(await small(), 'y')).toEqual([6]);
  const results = await Promise.all([
    failureOfInfer('huge_on_request', [int64('s', [2], [20_000, 1_000_000])]),
    ...Array.from({ length: 5 }, small),
  ]);
  expect(['INTERNAL', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE']).toContain((results[0] as Failure).code);
  for (const response of results.slice(1)) expect(float32Output(response as ModelInferResponse, 'y')).toEqual([6]);
  expect(float32Output(await small(), 'y')).toEqual([6]);
}, 30_000);

test('output_bomb: an output beyond the message limit fails that request alone', async () => {
  const ask = (elements: number) => [float32('x', [1], [1]), int64('s', [1], [elements])];
  expect(float32Output(await infer('output_bomb', ask(3)), 'y')).toHaveLength(3);
  const { code } = await failureOfInfer('output_bomb', ask(600_000_000));
  expect(code).toBe('RESOURCE_EXHAUSTED');
  expect(float32Output(await infer('output_bomb', ask(3)), 'y')).toHaveLength(3);
}, 30_000);

test('huge_input_declared: a shape of 2^40 elements with few bytes is refused at the door', async () => {
  const before = residentMb(shoal.pid);
  const { code } = await failureOfInfer('huge_input_declared', [
    { name: 'x', datatype: 'FP32', shape: [1, 2 ** 40], bytes: Buffer.alloc(16) },
  ]);
  expect(code).toBe('INVALID_ARGUMENT');
  expect(residentMb(shoal.pid) - before).toBeLessThan(200);
});

test('overflowing_shape: an element count beyond 64 bits is refused', async () => {
  const metadata = await shoal.client.call('ModelMetadata', { name: 'overflowing_shape' });
  const { shape, name, datatype } = metadata.inputs[0]!;
  const { code } = await failureOfInfer('overflowing_shape', [{ name, datatype, shape, bytes: Buffer.alloc(0) }]);
  expect(code).toBe('INVALID_ARGUMENT');
});

describe('endless_loop', () => {
  const request = [
    float32(
      'x',
      [64, 64],
      Array.from({ length: 4096 }, () => 0.01),
    ),
  ];

  test('with a deadline it ends with DEADLINE_EXCEEDED, and the runner is replaced', async () => {
    const before = shoal.runners();
    const { code } = await failureOfInfer('endless_loop', request, 500);
    expect(code).toBe('DEADLINE_EXCEEDED');
    await eventually(
      'another process serves the model',
      () => shoal.runners().some((pid) => !before.includes(pid)),
      15_000,
    );
    await eventually(
      'it is ready',
      async () => (await shoal.client.call('ModelReady', { name: 'endless_loop' })).ready,
    );
  }, 30_000);

  test('without one the server’s own limit ends it', async () => {
    const { code, details } = await failureOfInfer('endless_loop', request);
    expect(code).toBe('UNAVAILABLE');
    expect(details).toMatch(/process ended/);
  }, 30_000);
});

test('the neighbour was served all along', () => {
  expect(neighbour.failures).toEqual([]);
  expect(neighbour.answered).toBeGreaterThan(100);
});

test('no message shows an absolute path, the host’s name or what a file holds', () => {
  expect(told.length).toBeGreaterThan(60);
  const betrayals = [
    repository.folder,
    outside,
    root,
    tmpdir(),
    hostname(),
    'SECRET_TOKEN',
    'not-a-real-secret',
    '1234.5',
  ];
  for (const text of told) {
    expect(betrayals.filter((word) => text.includes(word))).toEqual([]);
    // "…/etc/passwd" as the model itself names it, relative, is its own text; an absolute path would be the host's.
    expect(text).not.toMatch(/(^|[\s"'(:=,])\/[\w.-]+\//);
  }
});

test('a shut-down while a model loads ends promptly', async () => {
  const other = await startShoal({
    models: { slow_load: { from: 'hostile' } },
    args: ['--model-control-mode=explicit', '--strict-readiness=false'],
  });
  const load = other.client.failure('RepositoryModelLoad', { model_name: 'slow_load' });
  await eventually('the model loads', () => other.runners().length > 0);
  await other.stop(10_000);
  expect((await load).code).not.toBe('OK');
}, 60_000);
