import { type Random, seededRandom } from '@shoal/core';
import type { Graph, Initializer, Node } from './onnx';

/** OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1, INT32 [16] each: the model of Triton's own examples. */
export function simpleGraph(): Graph {
  const value = (name: string) => ({ name, type: 'int32' as const, shape: ['N', 16] });
  return {
    name: 'simple',
    inputs: [value('INPUT0'), value('INPUT1')],
    outputs: [value('OUTPUT0'), value('OUTPUT1')],
    nodes: [
      { op: 'Add', inputs: ['INPUT0', 'INPUT1'], outputs: ['OUTPUT0'] },
      { op: 'Sub', inputs: ['INPUT0', 'INPUT1'], outputs: ['OUTPUT1'] },
    ],
    initializers: [],
  };
}

/** FP32 of any length → the same: what is left is the server's own cost. */
export function identityGraph(): Graph {
  const value = (name: string) => ({ name, type: 'float' as const, shape: ['N', 'D'] });
  return {
    name: 'identity',
    inputs: [value('INPUT0')],
    outputs: [value('OUTPUT0')],
    nodes: [{ op: 'Identity', inputs: ['INPUT0'], outputs: ['OUTPUT0'] }],
    initializers: [],
  };
}

/** Four dense layers of 512 with ReLU between them, random weights from a seed: 4.2 MB that gain much from batching. */
export function mlpGraph(): Graph {
  const random = seededRandom(7);
  const layers = [0, 1, 2, 3];
  const nodes: Node[] = layers.flatMap((i) => {
    const dense: Node = {
      op: 'Gemm',
      inputs: [i === 0 ? 'x' : `r${i - 1}`, `w${i}`, `b${i}`],
      outputs: [i === 3 ? 'y' : `g${i}`],
    };
    return i === 3 ? [dense] : [dense, { op: 'Relu', inputs: [`g${i}`], outputs: [`r${i}`] }];
  });
  return {
    name: 'mlp',
    inputs: [{ name: 'x', type: 'float', shape: ['N', 512] }],
    outputs: [{ name: 'y', type: 'float', shape: ['N', 512] }],
    nodes,
    initializers: layers.flatMap((i) => [
      weights(`w${i}`, [512, 512], 512, random),
      { name: `b${i}`, shape: [512], data: new Float32Array(512) },
    ]),
  };
}

/** Channels of the convolutions, each with stride 2. */
const channels = [3, 16, 32, 64, 128];

/** A small convolutional net over images of 3×224×224 with 1,000 classes; random weights from a seed. */
export function convGraph(): Graph {
  const random = seededRandom(11);
  const convolutions = channels.slice(1).flatMap((_, i): Node[] => [
    {
      op: 'Conv',
      inputs: [i === 0 ? 'image' : `r${i - 1}`, `k${i}`],
      outputs: [`c${i}`],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    },
    { op: 'Relu', inputs: [`c${i}`], outputs: [`r${i}`] },
  ]);
  return {
    name: 'conv',
    inputs: [{ name: 'image', type: 'float', shape: ['N', 3, 224, 224] }],
    outputs: [{ name: 'scores', type: 'float', shape: ['N', 1000] }],
    nodes: [
      ...convolutions,
      { op: 'GlobalAveragePool', inputs: [`r${channels.length - 2}`], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['features'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['features', 'w', 'b'], outputs: ['scores'] },
    ],
    initializers: [
      ...channels.slice(1).map((out, i) => {
        const into = channels[i] as number;
        return weights(`k${i}`, [out, into, 3, 3], into * 9, random);
      }),
      weights('w', [channels.at(-1) as number, 1000], channels.at(-1) as number, random),
      { name: 'b', shape: [1000], data: new Float32Array(1000) },
    ],
  };
}

/** Uniform with variance 1/fan-in, so that activations neither vanish nor explode. */
function weights(name: string, shape: readonly number[], fanIn: number, random: Random): Initializer {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const limit = Math.sqrt(3 / fanIn);
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = (2 * random.next() - 1) * limit;
  return { name, shape, data };
}
