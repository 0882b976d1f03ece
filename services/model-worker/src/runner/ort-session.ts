import type { OnnxValueMetadata, ProviderCandidate, SessionOptions } from '@shoal/repository';
import { Tensor, listSupportedBackends } from 'onnxruntime-node';
// The package's own way to the native library. Its public one makes every run wait for a turn of the event loop, which
// costs as much as a small model.
import { type Binding, binding, initOrt } from 'onnxruntime-node/dist/binding';
import type { SessionInfo } from '../control-messages';
import { arrayOver } from './typed-arrays';
import { type ThreadTensor, isStrings } from './thread-messages';

type Values = Parameters<Binding.InferenceSession['run']>[0];

const noOptions = {};

/** A model in ONNX Runtime. Whatever it does, it does on the calling thread, which waits. */
export class OrtSession {
  readonly info: SessionInfo;
  readonly #session: Binding.InferenceSession;
  /** What a run is asked for, by its output names: few combinations, made once. */
  readonly #fetches = new Map<string, Record<string, null>>();
  #lastNames: readonly string[] | undefined;
  #lastFetches: Record<string, null> = {};

  /** Loads a model file. Throws an Error with ONNX Runtime's words, which may hold paths. */
  constructor(modelPath: string, options: SessionOptions, { name, deviceId }: ProviderCandidate) {
    if (!listSupportedBackends().some((backend) => backend.name === name)) {
      throw new Error(`this build of ONNX Runtime has no execution provider '${name}'`);
    }
    const provider = deviceId === undefined ? name : { name, deviceId };
    initOrt();
    this.#session = new binding.InferenceSession();
    this.#session.loadModel(modelPath, { ...options, executionProviders: [provider] });
    this.info = {
      inputMetadata: this.#session.inputMetadata.map(describe),
      outputMetadata: this.#session.outputMetadata.map(describe),
    };
  }

  /**
   * Computes the outputs named by `fetches`; theirs are new buffers, those of the feeds are free again. Throws an Error
   * with ONNX Runtime's words.
   */
  run(feeds: readonly ThreadTensor[], fetches: readonly string[]): ThreadTensor[] {
    const values: Values = {};
    for (const feed of feeds) values[feed.name] = tensorOf(feed);
    const results = this.#session.run(values, this.#fetchesOf(fetches), noOptions);
    return fetches.map((name) => outputOf(name, results[name] as Tensor));
  }

  /** Gives the model's memory back; nothing can be run any more. */
  dispose(): void {
    this.#session.dispose();
  }

  #fetchesOf(names: readonly string[]): Record<string, null> {
    if (names === this.#lastNames) return this.#lastFetches;
    this.#lastNames = names;
    return (this.#lastFetches = this.#makeFetches(names));
  }

  #makeFetches(names: readonly string[]): Record<string, null> {
    const key = names.join('\n');
    let fetches = this.#fetches.get(key);
    if (!fetches) {
      if (this.#fetches.size >= maxCombinations) this.#fetches.clear();
      fetches = Object.fromEntries(names.map((name) => [name, null]));
      this.#fetches.set(key, fetches);
    }
    return fetches;
  }
}

const maxCombinations = 64;

/** ONNX Runtime's names of element types, by ONNX's numbers (TensorProto.DataType). */
const typeNames: readonly (string | undefined)[] = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
];

function describe({ name, isTensor, type, shape, symbolicDimensions }: Binding.ValueMetadata): OnnxValueMetadata {
  if (!isTensor) return { name, isTensor };
  const typeName = typeNames[type];
  if (typeName === undefined) throw new Error(`Unsupported data type: ${type}`);
  const dims = shape.map((size, i) => (size === -1 ? (symbolicDimensions[i] ?? -1) : size));
  return { name, isTensor, type: typeName, shape: dims };
}

function tensorOf({ type, data, dims }: ThreadTensor): Tensor {
  if (isStrings(data)) return new Tensor('string', data as string[], dims);
  return new Tensor(type as 'float32', arrayOver(type, data) as Float32Array, dims);
}

function outputOf(name: string, { type, dims, data }: Tensor): ThreadTensor {
  if (type === 'string') return { name, type, dims, data: data as string[] };
  const { buffer, byteOffset, byteLength } = data as unknown as ArrayBufferView;
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  // What is handed to another thread takes all of its buffer along.
  return { name, type, dims, data: byteLength === buffer.byteLength ? bytes : bytes.slice() };
}
