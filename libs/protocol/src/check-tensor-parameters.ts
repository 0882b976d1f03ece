import type { SharedMemoryReference } from './checked-request';
import {
  classificationType,
  classificationValue,
  sharedMemoryNegative,
  sharedMemoryType,
  sharedMemoryWithoutRegion,
  sharedMemoryWithoutSize,
} from './error-texts';
import type { InferParameters } from './parameters';

const regionKey = 'shared_memory_region';
const offsetKey = 'shared_memory_offset';
const sizeKey = 'shared_memory_byte_size';

/** The shared memory that a tensor's parameters name; undefined where they name none. Throws INVALID_ARGUMENT. */
export function sharedMemoryOf(tensor: string, parameters: InferParameters): SharedMemoryReference | undefined {
  if (parameters.size === 0) return undefined;
  const region = parameters.get(regionKey);
  if (region !== undefined && region.kind !== 'string') throw sharedMemoryType(regionKey, tensor, 'string_param');
  const offset = quantity(tensor, parameters, offsetKey, region !== undefined);
  const byteSize = quantity(tensor, parameters, sizeKey, region !== undefined);
  if (region === undefined) return undefined;
  if (byteSize === undefined) throw sharedMemoryWithoutSize(tensor);
  return { region: region.value, offset: offset ?? 0, byteSize };
}

function quantity(tensor: string, parameters: InferParameters, key: string, hasRegion: boolean): number | undefined {
  const parameter = parameters.get(key);
  if (parameter === undefined) return undefined;
  if (!hasRegion) throw sharedMemoryWithoutRegion(key, tensor);
  if (parameter.kind !== 'int64') throw sharedMemoryType(key, tensor, 'int64_param');
  if (parameter.value < 0) throw sharedMemoryNegative(key, tensor);
  return Number(parameter.value);
}

/** The `classification` parameter of a requested output: how many classes; 0 = not asked for. Throws INVALID_ARGUMENT. */
export function classificationOf(parameters: InferParameters): number {
  const parameter = parameters.get('classification');
  if (parameter === undefined) return 0;
  if (parameter.kind !== 'int64') throw classificationType();
  if (parameter.value <= 0) throw classificationValue();
  // More classes than a 32-bit number counts are more than any tensor has.
  return Math.min(Number(parameter.value), 0xffffffff);
}
