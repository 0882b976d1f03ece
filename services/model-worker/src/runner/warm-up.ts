import { open } from 'node:fs/promises';
import { type Random, ShoalError } from '@shoal/core';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { allocateBatch, byteSize, decodeStrings, elementCount } from '@shoal/tensor';
import type { WarmupInput, WarmupSample } from '../control-messages';
import { batchInputFeeds } from './batch-inputs';
import { BatchMemory } from './batch-memory';
import { ortTypeOf } from './ort-types';
import { reshapeDims } from './reshape';
import type { ThreadTensor } from './thread-messages';

/** Larger samples are refused: a warm-up is meant to be small, and a config is not to be trusted with the memory. */
const maxSampleBytes = 2 ** 30;

/** The feeds of one run of a warm-up sample. Throws INVALID_ARGUMENT for data that does not fit the model. */
export async function warmUpFeeds(
  signature: ModelSignature,
  sample: WarmupSample,
  random: Random,
): Promise<ThreadTensor[]> {
  try {
    return await feedsOf(signature, sample, random);
  } catch (thrown) {
    if (!(thrown instanceof ShoalError)) throw thrown;
    throw new ShoalError(thrown.code, `warmup sample '${sample.name}': ${thrown.message}`);
  }
}

async function feedsOf(signature: ModelSignature, sample: WarmupSample, random: Random): Promise<ThreadTensor[]> {
  const feeds: ThreadTensor[] = [];
  const dims: (readonly number[])[] = [];
  for (const input of sample.inputs) {
    const index = signature.inputs.findIndex(({ name }) => name === input.name);
    const spec = signature.inputs[index];
    if (!spec) throw new ShoalError('INVALID_ARGUMENT', `the model has no input '${input.name}'`);
    const feed = await feedOf(signature, sample, spec, input, random);
    dims[index] = feed.dims.slice(1);
    feeds.push(spec.ragged ? { ...feed, dims: [elementCount(feed.dims) ?? 0] } : feed);
  }
  if (signature.ragged) {
    // As so many requests of one item each.
    const requests = Array.from({ length: Math.max(1, sample.batchSize) }, () => ({ rows: 1, dims }));
    feeds.push(...batchInputFeeds(signature.ragged, requests, new BatchMemory()));
  }
  return feeds;
}

async function feedOf(
  signature: ModelSignature,
  sample: WarmupSample,
  spec: TensorSpec,
  input: WarmupInput,
  random: Random,
): Promise<ThreadTensor> {
  const modelDims = reshapeDims(input.dims, spec.dims, spec.modelDims);
  const repeats = signature.maxBatchSize > 0 ? Math.max(1, sample.batchSize) : 1;
  const count = modelDims && elementCount(modelDims);
  if (!modelDims || count === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `shape [${input.dims.join(',')}] does not fit input '${spec.name}'`);
  }
  const dims = signature.maxBatchSize > 0 ? [repeats, ...modelDims] : [...modelDims];
  const type = ortTypeOf(spec.datatype) ?? spec.datatype;
  if (spec.datatype === 'BYTES') {
    if (count * repeats > maxSampleBytes / 8) throw tooLarge(spec);
    const one = await stringsOf(input, count, random);
    return { name: spec.name, type, dims, data: Array.from({ length: repeats }, () => one).flat() };
  }
  const size = byteSize(spec.datatype, modelDims);
  if (size === undefined || size * repeats > maxSampleBytes) throw tooLarge(spec);
  const { array, bytes } = allocateBatch(spec.datatype, dims);
  if (input.source === 'file') {
    const content = await fileOf(input, size);
    for (let i = 0; i < repeats; i += 1) bytes.set(content, i * size);
  } else if (input.source === 'random') {
    fillRandom(array, spec.datatype === 'BOOL', random);
  }
  return { name: spec.name, type, dims, data: bytes };
}

function tooLarge(spec: TensorSpec): ShoalError {
  return new ShoalError(
    'INVALID_ARGUMENT',
    `the sample for input '${spec.name}' is larger than ${maxSampleBytes} bytes`,
  );
}

async function stringsOf(input: WarmupInput, count: number, random: Random): Promise<string[]> {
  if (input.source === 'zero') return Array.from({ length: count }, () => '');
  if (input.source === 'random') return Array.from({ length: count }, () => String(Math.floor(random.next() * 1e6)));
  const strings = decodeStrings(await fileOf(input));
  if (strings.length === count) return strings;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `the file for input '${input.name}' holds ${strings.length} strings, not ${count}`,
  );
}

/** Reads the sample's file; with `size` it must have exactly that many bytes. */
async function fileOf(input: WarmupInput, size?: number): Promise<Uint8Array> {
  const file = await open(input.path ?? '', 'r').catch(() => undefined);
  if (!file) throw new ShoalError('INVALID_ARGUMENT', `the file for input '${input.name}' cannot be read`);
  try {
    const { size: there } = await file.stat();
    if (there > maxSampleBytes || (size !== undefined && there !== size)) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `the file for input '${input.name}' has ${there} bytes, not ${size ?? 'fewer'}`,
      );
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Small numbers, so that integers are plausible indices and floats stay finite. */
function fillRandom(array: ReturnType<typeof allocateBatch>['array'], bool: boolean, random: Random): void {
  for (let i = 0; i < array.length; i += 1) {
    if (array instanceof BigInt64Array || array instanceof BigUint64Array)
      array[i] = BigInt(Math.floor(random.next() * 2));
    else if (array instanceof Float32Array || array instanceof Float64Array) array[i] = random.next();
    else array[i] = Math.floor(random.next() * (bool ? 2 : 8));
  }
}
