import { type DataType, isDataType } from '@shoal/tensor';
import { ShoalError } from '@shoal/core';
import type { ControlClient } from './control-client';

/** An input or output as the model declares it. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: DataType;
  /** Without the batch dimension where the model batches; -1: any size. */
  readonly dims: readonly number[];
}

/** What the load generator must know of a model. */
export interface ModelIo {
  readonly name: string;
  /** Asked for; '' = the newest. */
  readonly version: string;
  /** Largest batch of one request; 0: the model has no batch dimension. */
  readonly maxBatchSize: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

interface ModelMetadata {
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

interface ModelConfigResponse {
  readonly config: {
    readonly max_batch_size: number;
    readonly input: readonly { readonly name: string; readonly optional?: boolean }[];
  } | null;
}

/**
 * Asks the server how requests to a model look. Inputs that the model can do without are left out.
 * @throws ShoalError as the server says, e.g. NOT_FOUND for an unknown model.
 */
export async function readModelIo(client: ControlClient, name: string, version: string): Promise<ModelIo> {
  const metadata = await client.call<ModelMetadata>('ModelMetadata', { name, version });
  const config = await client.optional<ModelConfigResponse>('ModelConfig', { name, version });
  if (metadata.inputs.length === 0) {
    throw new ShoalError('FAILED_PRECONDITION', `the server names no inputs of model '${name}' in its metadata`);
  }
  const maxBatchSize = config?.config?.max_batch_size ?? guessBatching(metadata.inputs);
  const optional = new Set(config?.config?.input.filter((input) => input.optional).map((input) => input.name));
  const spec = (tensor: TensorMetadata) => toSpec(tensor, maxBatchSize > 0);
  return {
    ...{ name, version, maxBatchSize },
    inputs: metadata.inputs.filter((input) => !optional.has(input.name)).map(spec),
    outputs: metadata.outputs.map(spec),
  };
}

/** A server without ModelConfig: all inputs that begin with a dimension of any size have a batch dimension. */
function guessBatching(inputs: readonly TensorMetadata[]): number {
  return inputs.every(({ shape }) => shape.length > 1 && shape[0] === -1) ? Number.MAX_SAFE_INTEGER : 0;
}

function toSpec({ name, datatype, shape }: TensorMetadata, batches: boolean): TensorSpec {
  if (!isDataType(datatype)) {
    throw new ShoalError('FAILED_PRECONDITION', `the server says that '${name}' is of the unknown type '${datatype}'`);
  }
  return { name, datatype, dims: batches ? shape.slice(1) : shape };
}
