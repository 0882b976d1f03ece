import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { buildModel, int64 } from '../testing/build-model';
import { Constants } from './constants';
import { elementType, type OnnxTensor } from './onnx-model';
import { protoFields } from './proto-fields';
import { clampInt64, ProtoWriter } from './proto-writer';
import { readOnnx } from './read-onnx';
import { Shapes } from './shapes';
import { tensorNumbers } from './tensor-numbers';
import { makeTensor, writeOnnx } from './write-onnx';

const read = (name: string): Uint8Array =>
  readFileSync(join(__dirname, '../../../../test/fixtures/models', name, '1/model.onnx'));

test.each(['digits_cnn', 'package_topic_tokens', 'wine_lgbm', 'slow_loop'])(
  '%s, written and read again, is the same',
  (name) => {
    const model = readOnnx(read(name));
    const again = readOnnx(writeOnnx(model));
    expect(again.graph.nodes).toEqual(model.graph.nodes);
    expect([again.irVersion, again.opsets]).toEqual([model.irVersion, model.opsets]);
    expect(Array.from(again.graph.initializers.keys())).toEqual(Array.from(model.graph.initializers.keys()));
    expect([again.graph.inputs, again.graph.outputs]).toEqual([model.graph.inputs, model.graph.outputs]);
  },
);

test('a loop’s sub-graph tells what it takes from around it', () => {
  const loop = readOnnx(read('slow_loop')).graph.nodes.find((node) => node.op === 'Loop');
  const body = loop?.attributes.get('body');
  expect(body?.isGraph).toBe(true);
  expect(body?.captured.length).toBeGreaterThan(0);
});

const tensor = (bytes: Uint8Array, dims: number[], type: number): OnnxTensor => ({
  name: 't',
  dims,
  type,
  fields: protoFields(bytes),
});

test('elements of tensors: every type, packed and raw; unknown ones are not guessed', () => {
  const { double, float, float16, int32, int64: long, bool } = elementType;
  for (const type of [double, float, int32, long]) {
    const bytes = makeTensor('t', type, [3], [-1, 0, 5]);
    expect(tensorNumbers(tensor(bytes, [3], type))).toEqual([-1, 0, 5]);
    expect(tensorNumbers(tensor(bytes, [4], type))).toBeUndefined();
  }
  expect(tensorNumbers(tensor(makeTensor('t', bool, [2], [1, 0]), [2], bool))).toEqual([1, 0]);
  expect(tensorNumbers(tensor(makeTensor('t', float16, [1], [1]), [1], float16))).toBeUndefined();
  const packed = new ProtoWriter().bytes(7, new ProtoWriter().int(1, -3).finish().subarray(1)).finish();
  expect(tensorNumbers(tensor(packed, [1], long))).toEqual([-3]);
  const outside = new ProtoWriter().int(14, 1).finish();
  expect(tensorNumbers(tensor(outside, [0], long))).toBeUndefined();
  const large = new Array<number>(65537).fill(1);
  expect(tensorNumbers(tensor(makeTensor('t', float, [65537], large), [65537], float))).toBeUndefined();
  expect(tensorNumbers(tensor(new Uint8Array(0), [-1], float))).toBeUndefined();
});

test('integers keep their sign and end at the range of 64 bits', () => {
  expect([clampInt64(2 ** 63), clampInt64(-(2 ** 64)), clampInt64(-5)]).toEqual([2n ** 63n - 1n, -(2n ** 63n), -5n]);
});

test('shapes follow from operators; what is not known has names, the same for the same', () => {
  const file = buildModel({
    inputs: { x: ['N', 3, 4], z: [undefined, 4] },
    constants: { w: { dims: [4, 5], values: new Array(20).fill(1) }, s: int64(0, -1), i: int64(1), o: int64(-1) },
    nodes: [
      ['MatMul', ['x', 'w'], ['m']],
      ['Reshape', ['m', 's'], ['r']],
      ['Transpose', ['x'], ['t'], { perm: [2, 0, 1] }],
      ['Relu', ['z'], ['q']],
      ['Unsqueeze', ['q', 'i'], ['u']],
      ['ReduceSum', ['x', 'o'], ['c'], { keepdims: 0 }],
      ['Add', ['x', 'u'], ['a']],
      ['Shape', ['x'], ['n']],
      ['Concat', ['x', 'x'], ['k'], { axis: -1 }],
      ['Flatten', ['x'], ['f']],
    ],
    outputs: ['a'],
  });
  const { graph } = readOnnx(file);
  const shapes = new Shapes(graph, new Constants(graph));
  const unknown = shapes.of('z')?.[0];
  expect(unknown).toMatch(/^\?/);
  expect(shapes.of('m')).toEqual(['N', 3, 5]);
  expect(shapes.of('r')).toEqual(['N', expect.stringMatching(/^\?/)]);
  expect(shapes.of('t')).toEqual([4, 'N', 3]);
  expect(shapes.of('u')).toEqual([unknown, 1, 4]);
  expect(shapes.of('c')).toEqual(['N', 3]);
  expect(shapes.of('a')).toEqual([expect.stringMatching(/^\?/), 3, 4]);
  expect(shapes.of('n')).toEqual([3]);
  expect(shapes.of('k')).toEqual(['N', 3, 8]);
  expect(shapes.of('f')).toEqual(['N', 12]);
});
