import type { Random } from '@shoal/core';
import { elementCount } from '@shoal/tensor';
import { inferenceService } from './control-client';
import { type InputData, type RequestData, readInputs } from './input-files';
import { randomData, zeroData } from './made-data';
import type { ModelIo, TensorSpec } from './model-io';
import { resolveShapes } from './shapes';

/** What the requests hold. */
export interface DataChoice {
  /** `random`, `zero`, or a file or folder. */
  readonly inputData: string;
  /** Sizes that the model leaves open, by input. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly random: Random;
}

/** The inputs of the different requests that are sent in turn: one for made-up data, as many as a file lists. */
export function chooseData(model: ModelIo, { inputData, shapes, random }: DataChoice): RequestData[] {
  let resolved: Map<string, readonly number[]> | undefined;
  // A file may bring its own shapes, so they are only demanded where they are needed.
  const shapeOf = ({ name }: TensorSpec) => (resolved ??= resolveShapes(model, shapes)).get(name) as readonly number[];
  if (inputData !== 'random' && inputData !== 'zero') return readInputs(inputData, model, shapeOf);
  return [
    new Map(
      model.inputs.map((input): [string, InputData] => {
        const shape = shapeOf(input);
        const count = elementCount(shape) ?? 0;
        const { datatype } = input;
        const bytes = inputData === 'zero' ? zeroData(datatype, count) : randomData(datatype, count, random);
        return [input.name, { shape, bytes }];
      }),
    ),
  ];
}

/** Where a tensor lies in shared memory. */
export interface RegionRange {
  readonly region: string;
  readonly offset: number;
  readonly byteSize: number;
}

/** How the data is turned into a message. */
export interface RequestForm {
  readonly model: ModelIo;
  /** Rows of one request; the data is repeated for each. */
  readonly batchSize: number;
  /** They give way to others: the parameter `shoal.background`. */
  readonly background?: boolean;
  /** Given: the inputs lie there instead of in the message. */
  readonly inputRanges?: ReadonlyMap<string, RegionRange>;
  /** Given: the outputs are to be put there. */
  readonly outputRanges?: ReadonlyMap<string, RegionRange>;
}

/** The raw contents of one input for a whole request. */
export function batchedBytes({ bytes }: InputData, batchSize: number): Uint8Array {
  return batchSize === 1 ? bytes : Buffer.concat(Array.from({ length: batchSize }, () => bytes));
}

/** A serialised ModelInferRequest without an id. */
export function serialiseRequest(form: RequestForm, data: RequestData): Buffer {
  const { model, batchSize, background, inputRanges, outputRanges } = form;
  const inputs = model.inputs.map(({ name, datatype }) => {
    const { shape } = data.get(name) as InputData;
    const range = inputRanges?.get(name);
    return {
      ...{ name, datatype, shape: model.maxBatchSize > 0 ? [batchSize, ...shape] : shape },
      ...(range && { parameters: rangeParameters(range) }),
    };
  });
  const outputs = [...(outputRanges ?? [])].map(([name, range]) => ({ name, parameters: rangeParameters(range) }));
  const raw = inputRanges
    ? []
    : model.inputs.map(({ name }) => Buffer.from(batchedBytes(data.get(name) as InputData, batchSize)));
  const message = {
    ...{ model_name: model.name, model_version: model.version, inputs, outputs, raw_input_contents: raw },
    ...(background && { parameters: { 'shoal.background': { bool_param: true } } }),
  };
  return (inferenceService['ModelInfer'] as { requestSerialize(message: object): Buffer }).requestSerialize(message);
}

function rangeParameters({ region, offset, byteSize }: RegionRange): object {
  return {
    shared_memory_region: { string_param: region },
    shared_memory_offset: { int64_param: offset },
    shared_memory_byte_size: { int64_param: byteSize },
  };
}

/** The request with an id: protobuf takes fields in any order, so it is put behind the rest. */
export function withId(request: Buffer, id: string): Buffer {
  const head = Buffer.from([0x1a, id.length]);
  return Buffer.concat([request, head, Buffer.from(id, 'latin1')]);
}
