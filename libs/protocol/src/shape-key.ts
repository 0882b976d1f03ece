import type { CheckedInput } from './checked-request';
import type { ModelSignature } from './signature';

/**
 * What must agree for two requests to share a batch: the dimensions (but the first, where the model batches) of every
 * input that may vary and is not ragged, and which optional inputs there are. '' when nothing can differ.
 * `inputs` in the signature's order.
 */
export function shapeKey(signature: ModelSignature, inputs: readonly CheckedInput[]): string {
  const complete = inputs.length === signature.inputs.length;
  if (signature.fixedShapes && complete) return '';
  const first = signature.maxBatchSize > 0 ? 1 : 0;
  let key = '';
  let next = 0;
  for (let i = 0; i < signature.inputs.length; i += 1) {
    const spec = signature.inputs[i] as ModelSignature['inputs'][number];
    const input = inputs[next];
    if (input?.index !== i) {
      key += `-${i};`;
      continue;
    }
    next += 1;
    if (!spec.ragged && spec.dims.includes(-1)) key += `${input.shape.slice(first).join(',')};`;
  }
  return key;
}
