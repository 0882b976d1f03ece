import type { ProtoField } from './proto-fields';

/** ONNX's numbers of the element types that the rewrite deals with. */
export const elementType = { float: 1, int32: 6, int64: 7, bool: 9, float16: 10, double: 11 } as const;

/** A dimension: a size, or a name (sizes of the same name are equal), or undefined when nothing is known. */
export type Dimension = number | string | undefined;

/** A tensor within the model. Its elements are read on demand: see `tensorNumbers`. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly fields: readonly ProtoField[];
}

/** An attribute of a node; only what its kind says is filled. */
export interface OnnxAttribute {
  readonly name: string;
  readonly f: number | undefined;
  readonly i: number | undefined;
  readonly s: string | undefined;
  readonly t: OnnxTensor | undefined;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
  /** Names that the attribute's sub-graphs use: those of the outer graph among them are inputs of the node, too. */
  readonly captured: readonly string[];
  readonly isGraph: boolean;
  /** The message, to be written again as it is. */
  readonly raw: Uint8Array;
}

export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  /** The message as it was read; undefined for a node that was made or changed. */
  readonly raw: Uint8Array | undefined;
}

/** An input, output or annotated tensor of a graph. */
export interface OnnxValue {
  readonly name: string;
  /** Element type; 0 when it is not a tensor or not stated. */
  readonly type: number;
  /** undefined: rank not stated. */
  readonly dims: readonly Dimension[] | undefined;
  readonly raw: Uint8Array;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly values: readonly OnnxValue[];
  /** All other fields of the graph (initializers, annotations, name), as they were. */
  readonly rest: readonly ProtoField[];
}

export interface OnnxModel {
  readonly irVersion: number;
  /** Version by domain; the standard domain is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  /** All other fields of the model (producer, metadata, functions), as they were. */
  readonly rest: readonly ProtoField[];
}
