import type { Loaded, LoadFailed, LoadSpec } from '../control-messages';

/*
 * What a runner's main thread and its session thread say to each other. The memory of tensors is
 * transferred, not copied; strings are copied by the structured clone.
 */

/** A whole tensor by name; shapes as the model sees them. */
export interface ThreadTensor {
  readonly name: string;
  /** ONNX Runtime's type name. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Raw little-endian elements, aligned for their type, or strings for type 'string'. */
  readonly data: Uint8Array | readonly string[];
}

/** What a run gave. `spent`: the memory of its larger feeds, which nobody reads any more. */
export type RunResult =
  | {
      readonly kind: 'ran';
      readonly outputs: readonly ThreadTensor[];
      readonly inferMs: number;
      readonly spent: readonly ArrayBuffer[];
    }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** JavaScript itself ran out of memory. */
      readonly exhausted: boolean;
      readonly inferMs: number;
      readonly spent: readonly ArrayBuffer[];
    };

/** Tells the two kinds of `data` apart. */
export function isStrings(data: ThreadTensor['data']): data is readonly string[] {
  return Array.isArray(data);
}

/** The buffers that go along with tensors instead of being copied. */
export function buffersOf(tensors: readonly ThreadTensor[]): ArrayBuffer[] {
  return tensors.flatMap(({ data }) => (isStrings(data) ? [] : [data.buffer as ArrayBuffer]));
}

/** A run: it is answered with a `RunResult`, in the order of the runs. */
export interface RunOrder {
  readonly kind: 'run';
  readonly feeds: readonly ThreadTensor[];
  /** Outputs to compute, by name. */
  readonly fetches: readonly string[];
}

export type ToThread = LoadSpec | RunOrder | { readonly kind: 'release' };

export type FromThread = Loaded | LoadFailed | RunResult | { readonly kind: 'released' };
