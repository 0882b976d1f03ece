import { ShoalError } from '@shoal/core';
import { encodeStrings } from '@shoal/tensor';
import { checkInferRequest } from './check-request';
import type { CheckOptions, CheckedInput, CheckedRequest, SharedMemory } from './checked-request';
import { scanInferRequest } from './scan-request';
import type { ModelSignature } from './signature';
import { goldenModels, signature, spec } from './testing/golden';
import { messageType } from './testing/schema';

const unary: CheckOptions = { unary: true };

function check(request: object, model: ModelSignature, options = unary): CheckedRequest {
  const type = messageType('ModelInferRequest');
  const bytes = Buffer.from(type.encode(type.fromObject({ model_name: model.model, ...request })).finish());
  return checkInferRequest(scanInferRequest(bytes), model, options);
}

function refusal(request: object, model: ModelSignature, options = unary): [string, string] {
  try {
    check(request, model, options);
  } catch (thrown) {
    if (thrown instanceof ShoalError) return [thrown.code, thrown.message];
    throw thrown;
  }
  throw new Error('not refused');
}

const tensor = (name: string, datatype: string, shape: (number | string)[], rest: object = {}): object => ({
  name,
  datatype,
  shape,
  ...rest,
});
const bytesOf = (input: CheckedInput): Uint8Array => input.bytes as Uint8Array;
const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);
const unknownId = '[request id: <id_unknown>] ';
const simple = goldenModels.get('simple') as ModelSignature;
const fp32 = goldenModels.get('identity_fp32') as ModelSignature;

describe('what a checked request is', () => {
  test('inputs in the model order, whatever the request order; rows and bytes', () => {
    const got = check(
      {
        id: 'x',
        inputs: [tensor('INPUT1', 'INT32', [2, 16]), tensor('INPUT0', 'INT32', [2, 16])],
        raw_input_contents: [zeros(128).fill(1), zeros(128)],
      },
      simple,
    );
    expect(got.inputs.map((input) => [input.index, input.shape, bytesOf(input)[0]])).toEqual([
      [0, [2, 16], 0],
      [1, [2, 16], 1],
    ]);
    expect(got).toMatchObject({ requestId: 'x', rows: 2, bytes: 256, shapeKey: '', outputs: [] });
  });

  test('outputs in the model order; one named twice counts once', () => {
    const two = { inputs: [tensor('INPUT0', 'INT32', [1, 16]), tensor('INPUT1', 'INT32', [1, 16])] };
    const got = check(
      {
        ...two,
        raw_input_contents: [zeros(64), zeros(64)],
        outputs: [
          { name: 'OUTPUT1', parameters: { classification: { int64_param: 2 }, binary_data: { bool_param: true } } },
          { name: 'OUTPUT0', parameters: { binary_data: { bool_param: true } } },
          { name: 'OUTPUT1' },
        ],
      },
      simple,
    );
    expect(got.outputs).toEqual([
      { index: 0, classification: 0 },
      { index: 1, classification: 2 },
    ]);
  });

  test('parameters', () => {
    const got = check(
      {
        inputs: [tensor('INPUT0', 'FP32', [1, 1])],
        raw_input_contents: [zeros(4)],
        parameters: {
          priority: { uint64_param: '18446744073709551615' },
          timeout: { int64_param: 1500 },
          sequence_id: { int64_param: -1 },
          sequence_start: { bool_param: true },
          triton_enable_empty_final_response: { bool_param: true },
          'shoal.background': { bool_param: true },
          'shoal.why': { bool_param: true },
          mine: { double_param: 0.5 },
        },
      },
      fp32,
    );
    expect(got).toMatchObject({
      priority: Number.MAX_SAFE_INTEGER,
      queueTimeoutUs: 1500,
      sequence: { id: 18446744073709551615n, start: true, end: false },
      emptyFinal: true,
      background: true,
      why: true,
    });
    expect([...got.parameters]).toEqual([['mine', { kind: 'double', value: 0.5 }]]);
  });

  test('a negative timeout and a string sequence id', () => {
    const got = check(
      {
        inputs: [tensor('INPUT0', 'FP32', [1, 1])],
        raw_input_contents: [zeros(4)],
        parameters: { timeout: { int64_param: -1 }, sequence_id: { string_param: 'abc' } },
      },
      fp32,
    );
    expect([got.queueTimeoutUs, got.sequence.id]).toEqual([0, 'abc']);
  });
});

describe('the shape key', () => {
  const key = (model: ModelSignature, ...inputs: object[]): string =>
    check({ inputs, raw_input_contents: inputs.map(() => zeros(0)) }, model).shapeKey;
  const empty = 0;

  test('is the varying dimensions without the batch', () => {
    expect(key(fp32, tensor('INPUT0', 'FP32', [2, empty]))).toBe(key(fp32, tensor('INPUT0', 'FP32', [1, empty])));
    const two = signature('two', 4, ['A FP32[-1,3]', 'B FP32[2]', 'C FP32[-1]'], []);
    const rest = (a: number): object[] => [
      tensor('A', 'FP32', [1, a, 3]),
      tensor('B', 'FP32', [1, 2]),
      tensor('C', 'FP32', [1, 0]),
    ];
    const keyOf = (a: number): string =>
      check({ inputs: rest(a), raw_input_contents: [zeros(a * 12), zeros(8), zeros(0)] }, two).shapeKey;
    expect(keyOf(0)).not.toBe(keyOf(1));
    expect(keyOf(1)).toBe(keyOf(1));
  });

  test('is empty where all that varies is ragged', () => {
    const ragged = signature('ragged', 4, [spec('A FP32[-1]', { ragged: true }), 'B FP32[0]'], []);
    expect(key(ragged, tensor('A', 'FP32', [1, 0]), tensor('B', 'FP32', [1, 0]))).toBe('');
  });

  test('tells which optional inputs are there, also where shapes are fixed', () => {
    const optional = { optional: true };
    const model = signature('opt', 4, ['A FP32[0]', spec('B FP32[0]', optional), spec('C FP32[0]', optional)], []);
    const a = tensor('A', 'FP32', [1, 0]);
    const keys = [
      key(model, a),
      key(model, a, tensor('B', 'FP32', [1, 0])),
      key(model, a, tensor('C', 'FP32', [1, 0])),
      key(model, a, tensor('B', 'FP32', [1, 0]), tensor('C', 'FP32', [1, 0])),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keys[3]).toBe('');
  });
});

describe('hostile shapes are refused without an allocation', () => {
  const refused = (shape: (number | string)[], bytes = 4): [string, string] =>
    refusal({ inputs: [tensor('INPUT0', 'FP32', shape)], raw_input_contents: [zeros(bytes)] }, fp32);

  test('a product far beyond 2^53 is told exactly', () => {
    expect(refused([8, '9007199254740991'])).toEqual([
      'INVALID_ARGUMENT',
      `${unknownId}input byte size mismatch for input 'INPUT0' for model 'identity_fp32'. Expected 288230376151711712, got 4`,
    ]);
  });

  test('the same of strings', () => {
    const model = goldenModels.get('identity_bytes') as ModelSignature;
    const request = {
      inputs: [tensor('INPUT0', 'BYTES', [8, '9007199254740991'])],
      raw_input_contents: [encodeStrings(['a'])],
    };
    expect(refusal(request, model)[1]).toBe(
      `${unknownId}expected 72057594037927928 string elements for inference input 'INPUT0' for model 'identity_bytes', got 1`,
    );
  });

  test.each([
    [
      '-1',
      [1, -1],
      "All input dimensions should be specified for input 'INPUT0' for model 'identity_fp32', got [1,-1]",
    ],
    [
      '-2',
      [1, -2],
      "All input dimensions should be specified for input 'INPUT0' for model 'identity_fp32', got [1,-2]",
    ],
    [
      '-1 rows',
      [-1, 1],
      "All input dimensions should be specified for input 'INPUT0' for model 'identity_fp32', got [-1,1]",
    ],
    ['no rows', [0, 1], "inference request batch-size must be >= 1 for 'identity_fp32'"],
    ['no shape', [], "input 'INPUT0' has no shape but model requires batch dimension for 'identity_fp32'"],
  ])('%s', (_name, shape, text) => {
    expect(refused(shape)).toEqual(['INVALID_ARGUMENT', unknownId + text]);
  });

  test('many rows', () => {
    expect(refused(['9007199254740991', 0], 0)[1]).toBe(
      `${unknownId}inference request batch-size must be <= 8 for 'identity_fp32'`,
    );
  });
});

describe('optional inputs', () => {
  const model = signature(
    'opt',
    0,
    ['A FP32[1]', spec('B FP32[1]', { optional: true }), spec('C FP32[1]', { optional: true })],
    [],
  );
  const inputs = (...names: string[]): object => ({
    inputs: names.map((name) => tensor(name, 'FP32', [1])),
    raw_input_contents: names.map(() => zeros(4)),
  });

  test('may be absent', () => {
    expect(check(inputs('C', 'A'), model).inputs.map((input) => input.index)).toEqual([0, 2]);
  });

  test('do not stand in for required ones', () => {
    const text = (count: number, given: string): string =>
      `${unknownId}expected number of inputs between 1 and 3 but got ${count} inputs for model 'opt'. Got input(s) [${given}], but missing required input(s) ['A']. Please provide all required input(s).`;
    expect(refusal({}, model)[1]).toBe(text(0, ''));
    expect(refusal(inputs('B', 'C'), model)[1]).toBe(text(2, "'C','B'"));
  });
});

describe('shared memory', () => {
  const reserved: unknown[] = [];
  let reads = 0;
  beforeEach(() => {
    reads = 0;
  });
  const memory: SharedMemory = {
    check: ({ region }) => {
      if (region !== 'r') throw new ShoalError('NOT_FOUND', 'elsewhere');
    },
    read: ({ offset, byteSize }) => {
      reads += 1;
      return zeros(64).subarray(offset, offset + byteSize);
    },
    leave: (reference) => memory.read(reference),
    reserve: (reference) => void reserved.push(reference),
  };
  const place = (region: string, size: number, offset?: number): object => ({
    parameters: {
      shared_memory_region: { string_param: region },
      shared_memory_byte_size: { int64_param: size },
      ...(offset !== undefined && { shared_memory_offset: { int64_param: offset } }),
    },
  });
  const options: CheckOptions = { unary: true, sharedMemory: memory };

  test('inputs in it take no raw contents; outputs are left as references', () => {
    const got = check(
      {
        inputs: [tensor('INPUT0', 'INT32', [1, 16], place('r', 64)), tensor('INPUT1', 'INT32', [1, 16])],
        raw_input_contents: [zeros(64).fill(7)],
        outputs: [{ name: 'OUTPUT1', ...place('out', 64, 128) }],
      },
      simple,
      options,
    );
    expect(got.inputs.map((input) => bytesOf(input)[0])).toEqual([0, 7]);
    expect(got.sharedMemoryOutputs).toBe(true);
    expect(got.outputs).toEqual([
      { index: 1, classification: 0, sharedMemory: { region: 'out', offset: 128, byteSize: 64 } },
    ]);
    expect(reserved).toEqual([{ region: 'out', offset: 128, byteSize: 64 }]);
  });

  test('is read for inputs that have been found right only', () => {
    const shared = (shape: number[], size: number) => tensor('INPUT0', 'INT32', shape, place('r', size));
    const typed = tensor('INPUT1', 'INT32', [1, 16], { contents: { int_contents: Array<number>(16).fill(1) } });
    const requests = [
      { inputs: Array.from({ length: 100 }, (_, i) => ({ ...shared([1, 16], 64), name: `I${i}` })) },
      { inputs: [shared([1, 16], 2 ** 40), typed] },
      { inputs: [shared([1, 15], 60), typed] },
    ];
    for (const request of requests) expect(() => check(request, simple, options)).toThrow(ShoalError);
    expect(reads).toBe(0);
    check({ inputs: [shared([1, 16], 64), typed] }, simple, options);
    expect(reads).toBe(1);
    expect(() => check({ inputs: [shared([1, 16], 64), typed] }, simple, { ...options, maxBytes: 127 })).toThrow(
      expect.objectContaining({ code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('has 128 bytes') }),
    );
    expect(reads).toBe(1);
  });

  test('an input may be left in it, but not one whose contents must be looked at', () => {
    const left = { byteLength: 64, readInto: () => undefined, release: () => undefined };
    const leaving = { unary: true, sharedMemory: { ...memory, leave: () => left } };
    const inputs = [
      tensor('INPUT0', 'INT32', [1, 16], place('r', 64)),
      tensor('INPUT1', 'INT32', [1, 16], place('r', 64)),
    ];
    const got = check({ inputs }, simple, leaving);
    expect(got.inputs.map(({ bytes }) => bytes)).toEqual([left, left]);
    expect(got.bytes).toBe(128);
    expect(reads).toBe(0);
    const strings = signature('strings', 8, ['INPUT0 BYTES[16]', 'INPUT1 BYTES[16]'], []);
    const texts = ['INPUT0', 'INPUT1'].map((name) => tensor(name, 'BYTES', [1, 16], place('r', 64)));
    check({ inputs: texts }, strings, leaving);
    expect(reads).toBe(2);
  });

  const first = (rest: object): object => ({ inputs: [tensor('INPUT0', 'INT32', [1, 16], rest)] });
  const parameter = (key: string, value: object): object => ({ parameters: { [key]: value } });
  test.each([
    ['an unknown region', first(place('s', 64)), 'elsewhere'],
    [
      'a region that is no text',
      first(parameter('shared_memory_region', { int64_param: 1 })),
      "invalid value type for 'shared_memory_region' parameter for tensor 'INPUT0', expected string_param.",
    ],
    [
      'an offset alone',
      first(parameter('shared_memory_offset', { int64_param: 1 })),
      "'shared_memory_offset' can not be specified without 'shared_memory_region' parameter for tensor 'INPUT0'",
    ],
    [
      'a size alone',
      first(parameter('shared_memory_byte_size', { int64_param: 1 })),
      "'shared_memory_byte_size' can not be specified without 'shared_memory_region' parameter for tensor 'INPUT0'",
    ],
    [
      'a negative size',
      first(place('r', -1)),
      "invalid value for 'shared_memory_byte_size' parameter for tensor 'INPUT0', expected >= 0.",
    ],
    [
      'contents, too',
      first({ ...place('r', 64), contents: { int_contents: [1] } }),
      "unexpected 'content' provided when using shared memory for input tensor 'INPUT0' for model 'simple'",
    ],
    [
      'the wrong size',
      {
        inputs: [
          tensor('INPUT0', 'INT32', [1, 16], place('r', 60)),
          tensor('INPUT1', 'INT32', [1, 16], place('r', 64)),
        ],
      },
      `${unknownId}input byte size mismatch for input 'INPUT0' for model 'simple'. Expected 64, got 60`,
    ],
  ])('%s is refused', (_name, request, text) => {
    expect(refusal(request, simple, options)[1]).toBe(text);
  });

  test('an output cannot be classified into it', () => {
    const { parameters } = place('r', 64) as { parameters: object };
    const output = { name: 'OUTPUT0', parameters: { ...parameters, classification: { int64_param: 1 } } };
    expect(refusal({ outputs: [output] }, simple, options)).toEqual([
      'INVALID_ARGUMENT',
      "output can't set both 'shared_memory_region' and 'classification'",
    ]);
  });
});

describe('classification parameter', () => {
  const asked = (classification: object): [string, string] =>
    refusal({ outputs: [{ name: 'OUTPUT0', parameters: { classification } }] }, simple);
  test('must be a positive int64', () => {
    expect(asked({ string_param: '1' })[1]).toBe(
      "invalid value type for 'classification' parameter, expected int64_param",
    );
    expect(asked({ int64_param: 0 })[1]).toBe("invalid value for 'classification' parameter, expected >= 0");
  });
});

describe('order of the checks', () => {
  const inputs = [tensor('INPUT0', 'FP32', [1, 8]), tensor('OTHER', 'INT32', [9, 16])];
  const broken = { parameters: { timeout: { string_param: '1' } }, inputs, outputs: [{ name: 'NOPE' }] };

  test('decoupled, parameters, names, data, outputs, arity, inputs, batch, types', () => {
    const steps: [object, string][] = [
      [broken, "invalid value type for 'timeout'"],
      [{ ...broken, parameters: {}, inputs: [inputs[0], inputs[0]] }, "input 'INPUT0' already exists"],
      [{ ...broken, parameters: {} }, "unable to find data for input tensor 'INPUT0'"],
      [{ ...broken, parameters: {}, raw_input_contents: [zeros(1), zeros(1)] }, "unexpected inference output 'NOPE'"],
      [{ inputs, raw_input_contents: [zeros(1), zeros(1)] }, "unexpected inference input 'OTHER'"],
      [
        { inputs: [inputs[0], tensor('INPUT1', 'INT32', [9, 16])], raw_input_contents: [zeros(1), zeros(1)] },
        "input 'INPUT0' batch size does not match",
      ],
      [
        { inputs: [inputs[0], tensor('INPUT1', 'INT32', [1, 16])], raw_input_contents: [zeros(1), zeros(1)] },
        "inference input 'INPUT0' data-type is 'FP32'",
      ],
    ];
    expect(refusal(broken, { ...simple, decoupled: true })[0]).toBe('UNIMPLEMENTED');
    for (const [request, text] of steps) expect(refusal(request, simple)[1]).toContain(text);
  });

  test('of several unknown outputs the first by name is refused', () => {
    const outputs = [{ name: 'OUTPUT0' }, { name: 'Z' }, { name: 'B' }];
    expect(refusal({ outputs }, simple)[1]).toBe("unexpected inference output 'B' for model 'simple'");
  });
});

describe('strings', () => {
  const model = goldenModels.get('identity_bytes') as ModelSignature;
  const strings = (raw: Uint8Array, count: number): object => ({
    inputs: [tensor('INPUT0', 'BYTES', [1, count])],
    raw_input_contents: [raw],
  });

  test('that ONNX Runtime can hold pass', () => {
    expect(check(strings(encodeStrings(['é', '', 'a']), 3), model).bytes).toBe(15);
  });

  test('that it cannot hold are refused', () => {
    const latin1 = Uint8Array.of(1, 0, 0, 0, 0xe9);
    expect(refusal(strings(latin1, 1), model)).toEqual([
      'INVALID_ARGUMENT',
      `${unknownId}string element 0 of input 'INPUT0' for model 'identity_bytes' is not valid UTF-8, which ONNX Runtime's strings cannot carry`,
    ]);
  });
});

test('a name of a megabyte does not come back whole', () => {
  const [, text] = refusal({ outputs: [{ name: 'x'.repeat(2 ** 20) }] }, signature('m', 0, [], []));
  expect(text.length).toBeLessThan(400);
});
