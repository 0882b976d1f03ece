import { bytesOf, isDataType, tensorArray } from '@shoal/tensor';
import type { InferResponseView } from '@shoal/protocol';
import { Driver, type ExpectedCase, type ExpectedTensor, type Outcome, expectedOf } from './driver.fixture';

const models = [
  'simple',
  'simple_int8',
  'simple_string',
  'simple_identity',
  'identity_bool',
  'identity_uint8',
  'identity_uint16',
  'identity_uint32',
  'identity_uint64',
  'identity_int16',
  'identity_int32',
  'identity_int64',
  'identity_fp16',
  'identity_fp32',
  'identity_fp64',
  'digits_cnn',
  'dynamic_shapes',
  'variable_length',
  'iris_logreg',
  'wine_lgbm',
  'diabetes_mlp',
];

/** The log's words for short runs that have left their thread. */
const onMain = /main thread from now on/;

let driver: Driver;

beforeAll(async () => {
  driver = new Driver();
  await driver.withModels(Object.fromEntries([...models, 'optional_inputs'].map((model) => [model, 'models'])));
  await driver.start();
}, 120_000);

afterAll(() => driver.stop(), 30_000);

function answered({ done, answers }: Outcome, member = 0): InferResponseView {
  const answer = answers[member];
  if (!answer || answer === 'refused') throw new Error(`no answer: ${JSON.stringify(done)}`);
  return answer;
}

function expectTensor(model: string, got: { shape: readonly number[]; bytes: Uint8Array }, want: ExpectedTensor): void {
  const { atol, rtol } = expectedOf(model).tolerance;
  const bytes = Buffer.from(want.raw, 'base64');
  // Where a config reshapes a scalar per row, the wire has one more dimension of 1.
  expect(got.shape.filter((size) => size !== 1)).toEqual(want.shape.filter((size) => size !== 1));
  if ((atol === 0 && rtol === 0) || !isDataType(want.datatype) || want.datatype === 'BYTES') {
    expect(Buffer.from(got.bytes).equals(bytes)).toBe(true);
    return;
  }
  const wanted = tensorArray(want.datatype, bytes);
  const there = tensorArray(want.datatype, got.bytes);
  expect(there).toHaveLength(wanted.length);
  there.forEach((value, i) => {
    const target = Number(wanted[i]);
    const close =
      Object.is(Number(value), target) || Math.abs(Number(value) - target) <= atol + rtol * Math.abs(target);
    if (!close) throw new Error(`${model} ${want.name}[${i}]: ${value}, expected ${target}`);
  });
}

function expectCase(model: string, answer: InferResponseView, { outputs }: ExpectedCase): void {
  expect(answer.modelName).toBe(model);
  expect(answer.modelVersion).toBe('1');
  for (const want of outputs) {
    const at = answer.outputs.findIndex(({ name }) => name === want.name);
    const header = answer.outputs[at];
    if (!header) throw new Error(`${model}: no output ${want.name}`);
    expect(header.datatype).toBe(want.datatype);
    expectTensor(model, { shape: header.shape, bytes: answer.rawOutputContents[at] as Buffer }, want);
  }
}

test.each(models)('%s answers as the reference, each case alone', async (model) => {
  for (const one of expectedOf(model).cases) {
    const outcome = await driver.run(model, [{ ...driver.member(model, one), requestId: one.name }]);
    expect(outcome.done).toMatchObject({ outcome: 'ok', memberErrors: [], absent: [] });
    expect(answered(outcome).id).toBe(one.name);
    expectCase(model, answered(outcome), one);
  }
});

const batching = models.filter((model) => model !== 'dynamic_shapes');

test.each(['simple', 'simple_string', 'identity_bool', 'identity_fp16', 'identity_uint64', 'digits_cnn'])(
  '%s answers the same on whatever thread it runs',
  async (model) => {
    const moved = () =>
      driver.log.some(({ message }) => message.startsWith(`model '${model}'`) && onMain.test(message));
    const [one] = expectedOf(model).cases as [ExpectedCase];
    for (let runsThere = 0; runsThere < 3; runsThere += moved() ? 1 : 0) {
      const outcome = await driver.run(model, [driver.member(model, one), driver.member(model, one)]);
      expectCase(model, answered(outcome, 0), one);
      expectCase(model, answered(outcome, 1), one);
    }
    expect(moved()).toBe(true);
  },
  30_000,
);

test.each(batching)('%s answers as the reference, cases of one shape in one batch', async (model) => {
  const max = driver.versions.get(`${model}/1`)?.config?.max_batch_size ?? 0;
  const byShape = new Map<string, ExpectedCase[]>();
  for (const one of expectedOf(model).cases) {
    const key = JSON.stringify(one.inputs.map(({ name, shape }) => [name, shape.slice(1)]));
    byShape.set(key, [...(byShape.get(key) ?? []), one, one]);
  }
  for (const cases of byShape.values()) {
    let rows = 0;
    const fitting = cases.filter((one) => {
      const needed = one.inputs[0]?.shape[0] ?? 0;
      if (rows + needed > max) return false;
      rows += needed;
      return true;
    });
    const outcome = await driver.run(
      model,
      fitting.map((one) => driver.member(model, one)),
    );
    expect(outcome.done).toMatchObject({ outcome: 'ok', memberErrors: [], absent: [] });
    fitting.forEach((one, i) => expectCase(model, answered(outcome, i), one));
  }
});

test('a runner asks for batches ahead and names its queue', async () => {
  const [runner] = await driver.runnersOf('simple');
  expect(runner?.ready).toMatchObject({ credits: 32, runner: runner?.announcement.id });
  expect(runner?.ready?.queue).toBe(`simple/1@${driver.versions.get('simple/1')?.generation}`);
  expect(runner?.announcement.device).toBe('CPU');
});

test('only the outputs asked for, in the model’s order; classes with their labels', async () => {
  const [one] = expectedOf('digits_cnn').cases;
  const member = driver.member('digits_cnn', one as ExpectedCase);
  const outcome = await driver.run('digits_cnn', [
    { ...member, outputs: [{ index: 1, classification: 3 }] },
    { ...member, outputs: [{ index: 0, classification: 0 }] },
    member,
  ]);
  expect(answered(outcome, 0).outputs).toMatchObject([
    { name: 'probabilities', datatype: 'BYTES', shape: [member.rows, 3] },
  ]);
  expect(answered(outcome, 0).rawOutputContents[0]?.toString('latin1')).toMatch(/\d\.\d{6}:\d:\S/);
  expect(answered(outcome, 1).outputs.map(({ name }) => name)).toEqual(['logits']);
  expect(answered(outcome, 2).outputs.map(({ name }) => name)).toEqual(['logits', 'probabilities']);
});

test('a member that cannot run is told why, the others are answered', async () => {
  const [one] = expectedOf('simple_identity').cases;
  const good = driver.member('simple_identity', one as ExpectedCase);
  const [input] = good.inputs;
  const strings = (text: Buffer): Buffer => {
    const each = Buffer.alloc(4 + text.length);
    each.writeUInt32LE(text.length);
    text.copy(each, 4);
    const perRow = (input?.shape.slice(1) ?? []).reduce((count, size) => count * size, 1);
    return Buffer.concat(Array.from({ length: good.rows * perRow }, () => each));
  };
  const withBytes = (bytes: Uint8Array) => ({ ...good, inputs: [{ index: 0, shape: input?.shape ?? [], bytes }] });
  const outcome = await driver.run('simple_identity', [
    good,
    withBytes(strings(Buffer.from([0xff, 0xfe]))),
    withBytes(strings(Buffer.from('a\0b'))),
    withBytes(Buffer.alloc(3)),
  ]);
  expect(outcome.done.outcome).toBe('ok');
  expect(outcome.done.memberErrors.map(({ member, code }) => [member, code])).toEqual([
    [1, 'INVALID_ARGUMENT'],
    [2, 'INVALID_ARGUMENT'],
    [3, 'INVALID_ARGUMENT'],
  ]);
  expect(outcome.done.memberErrors[0]?.message).toMatch(/input 'INPUT0' for model 'simple_identity'.*UTF-8/);
  expectCase('simple_identity', answered(outcome), one as ExpectedCase);
});

test('withdrawn members are left out and reported absent', async () => {
  const [one] = expectedOf('simple').cases;
  const member = driver.member('simple', one as ExpectedCase);
  const [runner] = await driver.runnersOf('simple');
  // The withdrawal of member 1 overtakes its bytes, which never come.
  const batchId = 900_001;
  const ended = new Promise<Outcome['done']>((resolve) => driver.onDone(batchId, resolve));
  runner?.router.send({ kind: 'withdraw', batchId, member: 1 });
  runner?.router.send(driver.data(batchId, 0, 900_002, member));
  runner?.batching.send({ kind: 'batch', batchId, routers: ['router', 'router'], rows: [member.rows, 1] });
  expect(await ended).toMatchObject({ outcome: 'ok', absent: [1], memberErrors: [] });
});

test('times are told in nanoseconds', async () => {
  const [one] = expectedOf('digits_cnn').cases;
  const { done } = await driver.run('digits_cnn', [driver.member('digits_cnn', one as ExpectedCase)]);
  for (const time of [done.waitNs, done.computeInputNs, done.computeInferNs, done.computeOutputNs]) {
    expect(Number.isInteger(time)).toBe(true);
    expect(time).toBeGreaterThanOrEqual(0);
  }
  expect(done.computeInferNs).toBeGreaterThan(1000);
});

test('optional inputs that the session would ignore are not part of the signature', async () => {
  const version = driver.versions.get('optional_inputs/1');
  expect(version?.state).toBe('READY');
  expect(version?.config?.input.map(({ name }) => name)).toEqual(['X']);
  const bytes = bytesOf(Float32Array.of(1, 2, 3, 4));
  const unknown = { index: 1, shape: [1], bytes: bytes.subarray(0, 4) };
  const outcome = await driver.run('optional_inputs', [
    { rows: 1, inputs: [{ index: 0, shape: [1, 4], bytes }, unknown] },
  ]);
  expect(outcome.done.memberErrors).toMatchObject([{ member: 0, code: 'INTERNAL' }]);
});
