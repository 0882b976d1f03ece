import type { ModelSignature } from './signature';

/** Look-up tables of a signature, made once. */
export interface SignatureIndex {
  readonly inputs: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
  /** Inputs that are not optional. */
  readonly required: number;
}

const indices = new WeakMap<ModelSignature, SignatureIndex>();

/** The tables of `signature`, which live as long as it does. */
export function signatureIndex(signature: ModelSignature): SignatureIndex {
  let index = indices.get(signature);
  if (index === undefined) {
    index = {
      inputs: new Map(signature.inputs.map((input, i) => [input.name, i])),
      outputs: new Map(signature.outputs.map((output, i) => [output.name, i])),
      required: signature.inputs.filter((input) => !input.optional).length,
    };
    indices.set(signature, index);
  }
  return index;
}
