import { type Dimension, elementType, type OnnxNode, type OnnxValue } from '../onnx/onnx-model';
import { protoFields } from '../onnx/proto-fields';
import { ProtoWriter } from '../onnx/proto-writer';
import { type AttributeValue, makeNode, makeTensor, makeValue, writeOnnx } from '../onnx/write-onnx';

/** [operator (with its domain before a colon), inputs, outputs, attributes]. */
export type NodeText = readonly [
  string,
  readonly string[],
  readonly string[],
  Readonly<Record<string, AttributeValue>>?,
];

export interface Constant {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  /** Element type; without: that of the model. */
  readonly type?: number;
}

export interface ModelText {
  readonly opset?: number;
  /** Version of ai.onnx.ml; without: 2. */
  readonly ml?: number;
  /** Version of the file format; without: 7 up to opset 14, then 8. Below 4 constants are listed as inputs, too. */
  readonly irVersion?: number;
  /** Element type of inputs, outputs and constants; without: float. */
  readonly type?: number;
  readonly inputs: Readonly<Record<string, readonly Dimension[] | undefined>>;
  /** Element types of inputs that differ. */
  readonly types?: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, Constant>>;
  readonly nodes: readonly NodeText[];
  readonly outputs: readonly string[];
}

/** Small int64 constants: axes, shapes, indices. */
export const int64 = (...values: number[]): Constant => ({ dims: [values.length], values, type: elementType.int64 });

/** An ONNX file from a text; node n is named n<n>. */
export function buildModel(text: ModelText): Uint8Array {
  const type = text.type ?? elementType.float;
  const nodes: OnnxNode[] = text.nodes.map(([op, inputs, outputs, attributes], index) => {
    const [name, domain] = op.split(':').toReversed();
    return makeNode(name as string, inputs, outputs, attributes, `n${index}`, domain ?? '');
  });
  const added = new ProtoWriter().string(2, 'test');
  for (const [name, constant] of Object.entries(text.constants ?? {}))
    added.bytes(5, makeTensor(name, constant.type ?? type, constant.dims, constant.values));
  const valueOf = (name: string, of: number, dims?: readonly Dimension[]): OnnxValue => ({
    name,
    type: of,
    dims,
    raw: makeValue(name, of, dims),
  });
  const inputs = Object.entries(text.inputs).map(([name, dims]) => valueOf(name, text.types?.[name] ?? type, dims));
  const irVersion = text.irVersion ?? ((text.opset ?? 17) < 15 ? 7 : 8);
  if (irVersion < 4)
    for (const [name, constant] of Object.entries(text.constants ?? {}))
      inputs.push(valueOf(name, constant.type ?? type, constant.dims));
  const outputs = text.outputs.map((name) => valueOf(name, text.types?.[name] ?? type));
  return writeOnnx({
    irVersion,
    opsets: new Map([
      ['', text.opset ?? 17],
      ['ai.onnx.ml', text.ml ?? 2],
      ['com.microsoft', 1],
    ]),
    graph: { nodes, initializers: new Map(), inputs, outputs, values: [], rest: protoFields(added.finish()) },
    rest: [],
  });
}
