import type { ProviderCandidate, SessionOptions } from '@shoal/repository';
import type { SessionInfo } from '../control-messages';

/*
 * What a runner's main thread and its ONNX Runtime thread say to each other. Tensors travel as ArrayBuffers that are
 * transferred, not copied; strings are copied by the structured clone.
 */

/** A whole tensor by name; shapes as the model sees them. */
export interface ThreadTensor {
  readonly name: string;
  /** ONNX Runtime's type name. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Raw little-endian elements, or strings for type 'string'. */
  readonly data: ArrayBuffer | readonly string[];
}

/** Tells the two kinds of `data` apart. */
export function isStrings(data: ThreadTensor['data']): data is readonly string[] {
  return Array.isArray(data);
}

/** The buffers that go along with tensors instead of being copied. */
export function buffersOf(tensors: readonly ThreadTensor[]): ArrayBuffer[] {
  return tensors.flatMap(({ data }) => (isStrings(data) ? [] : [data]));
}

export type ToThread =
  | {
      readonly kind: 'load';
      readonly modelPath: string;
      readonly sessionOptions: SessionOptions;
      readonly candidates: readonly ProviderCandidate[];
    }
  | {
      readonly kind: 'run';
      readonly run: number;
      readonly feeds: readonly ThreadTensor[];
      /** Outputs to compute, by name. */
      readonly fetches: readonly string[];
    }
  | { readonly kind: 'release' };

export type FromThread =
  | {
      readonly kind: 'loaded';
      readonly info: SessionInfo;
      readonly candidate: ProviderCandidate;
      readonly passedOver: readonly { readonly candidate: ProviderCandidate; readonly reason: string }[];
    }
  | { readonly kind: 'load-failed'; readonly reason: string }
  | { readonly kind: 'ran'; readonly run: number; readonly outputs: readonly ThreadTensor[]; readonly inferMs: number }
  | {
      readonly kind: 'failed';
      readonly run: number;
      readonly reason: string;
      /** JavaScript itself ran out of memory. */
      readonly exhausted: boolean;
      readonly inferMs: number;
    }
  | { readonly kind: 'released' };
