import { InferenceSession, Tensor } from 'onnxruntime-node';

import { outputWeights } from '../gradient/twin';

// A test's realm has typed arrays of its own, ONNX Runtime makes those of Node's: let `instanceof` go by their kind.
for (const kind of [Float32Array, Float64Array, BigInt64Array]) {
  const value = (other: unknown): boolean => Object.prototype.toString.call(other) === `[object ${kind.name}]`;
  Object.defineProperty(kind, Symbol.hasInstance, { value });
}

export interface Values {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array;
}

/** A model in ONNX Runtime, one thread; close it with `release`. */
export class RunningModel {
  private readonly session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.session = session;
  }

  static async load(model: Uint8Array): Promise<RunningModel> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new RunningModel(await InferenceSession.create(model, options));
  }

  async run(inputs: Readonly<Record<string, Values>>): Promise<Record<string, Values>> {
    const feeds: Record<string, Tensor> = {};
    for (const [name, { data, dims }] of Object.entries(inputs)) feeds[name] = new Tensor(data, [...dims]);
    const results = await this.session.run(feeds);
    const answers: Record<string, Values> = {};
    for (const [name, tensor] of Object.entries(results))
      answers[name] = { dims: tensor.dims, data: tensor.data as Float32Array };
    return answers;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/** Runs a model once. */
export async function runOnce(
  model: Uint8Array,
  inputs: Readonly<Record<string, Values>>,
): Promise<Record<string, Values>> {
  const running = await RunningModel.load(model);
  try {
    return await running.run(inputs);
  } finally {
    await running.release();
  }
}

/** float32 values. */
export const floats = (dims: readonly number[], data: Iterable<number>): Values => ({
  dims,
  data: Float32Array.from(data),
});

/** Weights for a twin that choose one output for all rows. */
export function oneHot(rows: number, outputs: number, chosen: number): Record<string, Values> {
  const data = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row += 1) data[row * outputs + chosen] = 1;
  return { [outputWeights]: { dims: [rows, outputs], data } };
}
