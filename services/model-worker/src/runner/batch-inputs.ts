import type { BatchInput, RaggedPlan } from '@shoal/protocol';
import type { BatchMemory } from './batch-memory';
import { ortTypeOf } from './ort-types';
import type { ThreadTensor } from './thread-messages';

/** Shapes of a request's inputs by index, without the batch dimension; and its batch items. */
export interface RequestShapes {
  readonly rows: number;
  readonly dims: readonly (readonly number[] | undefined)[];
}

/** The inputs that the server fills from the shapes of a batch's requests, as Triton does for each kind. */
export function batchInputFeeds(
  { batchInputs }: RaggedPlan,
  requests: readonly RequestShapes[],
  memory: BatchMemory,
): ThreadTensor[] {
  return batchInputs.map((input) => feedOf(input, requests, memory));
}

function feedOf(input: BatchInput, requests: readonly RequestShapes[], memory: BatchMemory): ThreadTensor {
  const { dims, values } = contents(input, requests);
  const data = memory.take(4 * values.length);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  values.forEach((value, i) => {
    if (input.datatype === 'FP32') view.setFloat32(4 * i, value, true);
    else view.setInt32(4 * i, value, true);
  });
  return { name: input.name, type: ortTypeOf(input.datatype) ?? input.datatype, dims, data };
}

/** Dimensions and elements. */
function contents(
  { kind, source }: BatchInput,
  requests: readonly RequestShapes[],
): { dims: number[]; values: number[] } {
  if (kind === 'BATCH_ITEM_SHAPE' || kind === 'BATCH_ITEM_SHAPE_FLATTEN') {
    const rows = requests.flatMap(({ rows: count, dims }) => Array.from({ length: count }, () => dims[source] ?? []));
    const values = rows.flat();
    const width = rows[0]?.length ?? 0;
    return { dims: kind === 'BATCH_ITEM_SHAPE' ? [rows.length, width] : [values.length], values };
  }
  const counts = requests.map(({ rows, dims }) => (dims[source] ?? []).reduce((product, size) => product * size, rows));
  if (kind === 'BATCH_ELEMENT_COUNT') return list(counts);
  if (kind === 'BATCH_MAX_ELEMENT_COUNT_AS_SHAPE') {
    // Only its shape says something.
    return list(new Array<number>(Math.max(0, ...counts)).fill(0));
  }
  let sum = 0;
  const sums = counts.map((count) => (sum += count));
  return list(kind === 'BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO' ? [0, ...sums] : sums);
}

function list(values: number[]): { dims: number[]; values: number[] } {
  return { dims: [values.length], values };
}
