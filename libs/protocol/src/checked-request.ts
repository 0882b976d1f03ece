import type { ByteSource } from '@shoal/tensor';
import type { InferParameters } from './parameters';

/** A place in a registered shared memory region. Bytes. */
export interface SharedMemoryReference {
  readonly region: string;
  readonly offset: number;
  readonly byteSize: number;
}

/** How the check reaches registered shared memory; all throw the ShoalError that the client is to see. */
export interface SharedMemory {
  /** Makes sure that an input can be read there. */
  check(reference: SharedMemoryReference): void;
  /** The bytes of an input: called last, when all else about the request has been found right. */
  read(reference: SharedMemoryReference): Uint8Array;
  /** As `read`, for an input whose contents the check need not see: they may be left where they are. */
  leave(reference: SharedMemoryReference): Uint8Array | ByteSource;
  /** Makes sure that an output may be written there later. */
  reserve(reference: SharedMemoryReference): void;
}

/** One input of a checked request: raw bytes whose number fits its type and shape. */
export interface CheckedInput {
  /** Index into the signature's inputs. */
  readonly index: number;
  /** Wire shape, with the batch dimension where the model has one. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array | ByteSource;
}

/** One requested output. */
export interface CheckedOutput {
  /** Index into the signature's outputs. */
  readonly index: number;
  /** Top k classes as BYTES; 0 = the tensor itself. */
  readonly classification: number;
  /** Where the client wants it instead of in the response. */
  readonly sharedMemory?: SharedMemoryReference;
}

/** Triton's sequence parameters; id 0 or '' = the request belongs to no sequence. */
export interface SequenceParameters {
  readonly id: number | bigint | string;
  readonly start: boolean;
  readonly end: boolean;
}

/** What the request's parameters ask for. */
export interface RequestOptions {
  /** 1 is highest, 0 = the model's default. */
  readonly priority: number;
  /** `timeout`: microseconds of queueing; 0 = not given. */
  readonly queueTimeoutUs: number;
  readonly sequence: SequenceParameters;
  /** `triton_enable_empty_final_response`. */
  readonly emptyFinal: boolean;
  /** `shoal.background`: it may wait as long as there are others. */
  readonly background: boolean;
  /** `shoal.why`: the response says which batch the request was in, and why that was formed when it was. */
  readonly why: boolean;
  /** All other parameters, as sent. */
  readonly parameters: InferParameters;
}

/** A request that the model can run. */
export interface CheckedRequest extends RequestOptions {
  readonly requestId: string;
  /** Batch items: dimension 0 where the model batches, else 1. */
  readonly rows: number;
  /** Requests with different keys cannot share a batch; '' where all shapes are fixed. */
  readonly shapeKey: string;
  /** In the signature's order; absent optional inputs are left out. */
  readonly inputs: readonly CheckedInput[];
  /** In the signature's order; empty = all outputs, as tensors. */
  readonly outputs: readonly CheckedOutput[];
  /** Some output goes to shared memory: the response has to be taken apart. */
  readonly sharedMemoryOutputs: boolean;
  /** Bytes of all inputs. */
  readonly bytes: number;
}

/** How to check. */
export interface CheckOptions {
  /** ModelInfer, which cannot serve decoupled models; false for ModelStreamInfer. */
  readonly unary: boolean;
  /** Most bytes that the inputs of a request may have, of all kinds; without it there is no bound. */
  readonly maxBytes?: number;
  /** Without it every region is unknown. */
  readonly sharedMemory?: SharedMemory;
}
