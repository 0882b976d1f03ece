import { type DataType, type TensorArray, elementCount, encodeStrings, tensorArray } from '@shoal/tensor';
import { classificationUnsupported } from './error-texts';
import { scoreText } from './score-text';

/** A tensor of classes: a BYTES tensor. */
export interface Classification {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const unsupported: readonly DataType[] = ['BOOL', 'FP16', 'BF16', 'BYTES'];

/**
 * The `k` highest scores of each row as "score:index" or "score:index:label" strings, highest first; equal scores in
 * the order of their index, NaN last. All dimensions but the batch's count as one list of classes, and `k` is capped
 * at their number.
 *
 * @param bytes raw contents of the output, which fit `shape`
 * @param batches the first dimension is the batch's
 * @param labels text of each class, where the model has a label file
 * @throws INVALID_ARGUMENT for data types that have no scores
 */
export function classify(
  datatype: DataType,
  bytes: Uint8Array,
  shape: readonly number[],
  batches: boolean,
  k: number,
  labels?: readonly string[],
): Classification {
  if (datatype === 'BYTES' || unsupported.includes(datatype)) throw classificationUnsupported(datatype);
  const scores = tensorArray(datatype, bytes);
  const batch = batches && shape.length > 0 ? (shape[0] as number) : 0;
  const rows = Math.max(1, batch);
  const classes = elementCount(batch > 0 ? shape.slice(1) : shape) ?? 0;
  const top = Math.min(k, classes);
  const texts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const slice = scores.subarray(row * classes, (row + 1) * classes);
    for (const index of ranking(slice, top)) {
      const score = slice[index] as number | bigint;
      const text = datatype === 'FP32' || datatype === 'FP64' ? scoreText(Number(score)) : score.toString();
      const label = labels?.[index];
      texts.push(label === undefined || label === '' ? `${text}:${index}` : `${text}:${index}:${label}`);
    }
  }
  return { shape: batch > 0 ? [batch, top] : [top], bytes: encodeStrings(texts) };
}

/** Indices of the `top` highest scores. */
function ranking(scores: TensorArray, top: number): number[] {
  const order = Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => {
    const x = scores[a] as number;
    const y = scores[b] as number;
    if (x > y) return -1;
    if (x < y) return 1;
    const nan = Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return nan === 0 ? a - b : nan;
  });
  return order.slice(0, top);
}
