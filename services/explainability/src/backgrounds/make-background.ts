import { seededRandom } from '@shoal/core';
import { blurBaseline, meanBaseline, summarize } from '@shoal/explain';
import { elementSize, fromNumbers, toNumbers } from '@shoal/tensor';
import { createHash } from 'node:crypto';
import { numbersOf } from '../methods/numbers';
import { imageOf, imageView, rowOfImage } from '../requests/image-view';
import type { BaselineMessage } from '../requests/messages';
import type { ExplainedInput, Players } from '../requests/players';
import { invalid, quoted } from '../requests/refuse';
import { type Tensor, tensorsOf } from '../requests/tensor';
import type { BackgroundRows } from './background-rows';
import type { BackgroundStore } from './background-store';
import { encodeBackground, rowsOf } from './stored-form';

/** Rows × features × clusters that are averaged in good time. */
const maxSummaryWork = 5_000_000;

/** Of a blur, pixels: more costs much and shows no more. */
const maxSigma = 100;

export interface BackgroundParts {
  readonly store: BackgroundStore;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly model: string;
  readonly seed: number;
}

interface Found {
  readonly tensors: readonly Tensor[];
  readonly source: BackgroundRows['source'];
  readonly name: string;
  readonly warnings: readonly string[];
}

/**
 * The rows that stand for absent players, in the data types of the explained inputs.
 * @param row raw contents of each explained input
 * @throws ShoalError INVALID_ARGUMENT, NOT_FOUND
 */
export async function makeBackground(
  message: BaselineMessage | null,
  players: Players,
  row: readonly Uint8Array[],
  parts: BackgroundParts,
): Promise<BackgroundRows> {
  if (players.inputs.length === 0) return nothing(message, players);
  const found = await find(message, players, row, parts);
  const rows = rowsOf(found.tensors, 'baseline');
  const chosen = sampled(rows, message?.sample ?? 0, parts.seed);
  if (chosen.length > parts.maxRows) {
    throw invalid(
      `baseline: ${chosen.length} rows, at most ${parts.maxRows} are used in one explanation: have some drawn (baseline.sample)`,
    );
  }
  const drawn = players.inputs.map((input) => contentsOf(input, players, found.tensors, rows, chosen));
  const evenly = {
    count: chosen.length,
    contents: drawn,
    weights: new Float64Array(chosen.length).fill(1 / chosen.length),
  };
  const { count, contents, weights } =
    message && message.summarize > 0 ? summarized(players, evenly, message.summarize, parts.seed) : evenly;
  const bytes = contents.reduce((sum, { length }) => sum + length, 0);
  if (bytes > parts.maxBytes) {
    throw invalid(`baseline: its rows have ${bytes} bytes, at most ${parts.maxBytes} are used: have fewer rows drawn`);
  }
  const used = players.inputs.map(({ name, datatype, shape }, at) => ({
    name,
    datatype,
    shape: [count, ...shape],
    bytes: contents[at] as Uint8Array,
  }));
  return {
    count,
    contents,
    weights,
    source: found.source,
    name: found.name,
    sha256: createHash('sha256').update(encodeBackground(used)).digest('hex'),
    ...(message?.generator?.kind === 'INPAINT' && { inpaints: true }),
    warnings: found.warnings,
  };
}

/** Of texts alone: what is absent is left out, or its mask is written. */
function nothing(message: BaselineMessage | null, { texts }: Players): BackgroundRows {
  if (message && (message.baseline !== undefined || message.summarize > 0 || message.sample > 0)) {
    throw invalid(
      'baseline: absent words are left out, or written as explained.text.mask; texts have no other baseline',
    );
  }
  const told = JSON.stringify(texts.map(({ name, mask }) => [name, mask ?? null]));
  return {
    count: 1,
    contents: [],
    weights: Float64Array.of(1),
    source: 'generated',
    name: '',
    sha256: createHash('sha256').update(told).digest('hex'),
    warnings: [],
  };
}

/** Averages of clusters in place of the rows, weighted by the clusters' sizes. @throws ShoalError INVALID_ARGUMENT */
function summarized(
  { inputs }: Players,
  { count, contents }: Pick<BackgroundRows, 'count' | 'contents'>,
  clusters: number,
  seed: number,
): Pick<BackgroundRows, 'count' | 'contents' | 'weights'> {
  const features = inputs.reduce((sum, { elements }) => sum + elements, 0);
  if (count * features * clusters > maxSummaryWork) {
    throw invalid(
      'baseline.summarize: that many rows, features and clusters take too long: have fewer rows drawn (baseline.sample)',
    );
  }
  const rows = numbersOf(inputs, contents, count);
  const { centres, weights } = summarize({ rows, features, clusters, seed });
  let from = 0;
  const own = inputs.map(({ datatype, elements }) => {
    const values = new Float64Array(weights.length * elements);
    for (let row = 0; row < weights.length; row += 1) {
      const start = row * features + from;
      values.set(centres.subarray(start, start + elements), row * elements);
    }
    from += elements;
    return fromNumbers(datatype, values);
  });
  return { count: weights.length, contents: own, weights };
}

async function find(
  message: BaselineMessage | null,
  players: Players,
  row: readonly Uint8Array[],
  { store, model }: BackgroundParts,
): Promise<Found> {
  if (message?.baseline === 'rows' && message.rows) {
    return { tensors: tensorsOf(message.rows, 'baseline.rows'), source: 'request', name: '', warnings: [] };
  }
  if (message?.baseline === 'background') {
    const { about, source, tensors } = await store.get(message.background ?? '');
    if (about.model !== '' && about.model !== model) {
      throw invalid(`background ${quoted(about.name)} was stored for model ${quoted(about.model)}`);
    }
    return { tensors, source, name: about.name, warnings: [] };
  }
  const generator = message?.baseline === 'generator' ? message.generator : undefined;
  const isNeeded = players.inputs.some(({ padding }) => padding === undefined);
  const warning = 'no baseline was given: absent features are zero. Rows of typical data explain better';
  return {
    tensors: players.inputs.map((input, at) => generated(input, row[at] as Uint8Array, generator)),
    source: 'generated',
    name: '',
    warnings: isNeeded && message?.baseline === undefined ? [warning] : [],
  };
}

function generated(input: ExplainedInput, row: Uint8Array, generator: BaselineMessage['generator']): Tensor {
  const { name, datatype, shape } = input;
  const bytes = fromNumbers(datatype, generatedValues(input, toNumbers(datatype, row), generator));
  return { name, datatype, shape: [1, ...shape], bytes };
}

function generatedValues(
  { name, shape, elements, padding, axes }: ExplainedInput,
  row: Float64Array,
  generator: BaselineMessage['generator'],
): Float64Array {
  const filled = (value: number) => new Float64Array(elements).fill(value);
  if (padding !== undefined) return filled(padding);
  switch (generator?.kind) {
    case 'CONSTANT':
      return filled(generator.value);
    case 'MEAN':
      return filled(row.reduce((sum, one) => sum + one, 0) / elements);
    case 'CHANNEL_MEAN':
    case 'INPAINT': {
      const view = imageView(name, shape, axes);
      return rowOfImage(view, meanBaseline(imageOf(view, row)));
    }
    case 'BLUR': {
      const view = imageView(name, shape, axes);
      const sigma = generator.value === 0 ? Math.max(1, Math.min(view.height, view.width) / 16) : generator.value;
      if (!(sigma > 0 && sigma <= maxSigma)) {
        throw invalid(`baseline: a blur of ${generator.value} pixels, expected more than 0 and at most ${maxSigma}`);
      }
      return rowOfImage(view, blurBaseline(imageOf(view, row), sigma));
    }
    default:
      return filled(0);
  }
}

/** Indices of the rows that are used, in their order; all of them, or some drawn without replacement. */
function sampled(rows: number, most: number, seed: number): number[] {
  const all = Array.from({ length: rows }, (_, at) => at);
  if (most === 0 || most >= rows) return all;
  const random = seededRandom(seed);
  for (let at = 0; at < most; at += 1) {
    const other = at + Math.floor(random.next() * (rows - at));
    [all[at], all[other]] = [all[other] as number, all[at] as number];
  }
  return all.slice(0, most).toSorted((a, b) => a - b);
}

function contentsOf(
  input: ExplainedInput,
  { inputs }: Players,
  tensors: readonly Tensor[],
  rows: number,
  chosen: readonly number[],
): Uint8Array {
  if (input.padding !== undefined) {
    return fromNumbers(input.datatype, new Float64Array(chosen.length * input.elements).fill(input.padding));
  }
  const only = inputs.length === 1 && tensors.length === 1 && tensors[0]?.name === '' ? tensors[0] : undefined;
  const tensor = only ?? tensors.find(({ name }) => name === input.name);
  const where = `baseline: input ${quoted(input.name)}`;
  if (!tensor) throw invalid(`${where} is explained, and the baseline has no rows of it`);
  if (tensor.datatype === 'BYTES') throw invalid(`${where}: expected numbers, got BYTES`);
  const elements = tensor.shape.slice(1).reduce((product, dim) => product * dim, 1);
  if (elements !== input.elements) {
    throw invalid(`${where}: a row has ${input.elements} elements, the baseline's have ${elements}`);
  }
  const bytes =
    tensor.datatype === input.datatype
      ? tensor.bytes
      : fromNumbers(input.datatype, toNumbers(tensor.datatype, tensor.bytes));
  if (chosen.length === rows) return bytes;
  const rowBytes = elements * elementSize(input.datatype);
  return Buffer.concat(chosen.map((at) => bytes.subarray(at * rowBytes, (at + 1) * rowBytes)));
}
