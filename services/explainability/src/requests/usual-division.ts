import type { ExplainedInputMessage } from './messages';
import { quoted } from './refuse';
import type { Tensor } from './tensor';

/** How an input is divided for who does not say how. */
export interface UsualDivision {
  readonly explained: ExplainedInputMessage;
  /** For people. */
  readonly reason: string;
}

/** Fewer pixels along a side are no picture. */
const leastSide = 16;
/** Fewer elements can each be a feature. */
const manyElements = 1_024;
/** Patches along each side. */
const patches = 8;

/**
 * Patches, where the one input of numbers is a picture whose elements would be too many to tell apart; undefined for all other inputs, of
 * which each element (or word) is a feature.
 * @param row a first dimension of 1 where it is batched
 */
export function usualDivision(row: readonly Tensor[], batched: boolean): UsualDivision | undefined {
  const [input, ...others] = row.filter(({ datatype }) => datatype !== 'BYTES' && datatype !== 'BOOL');
  if (!input || others.length > 0) return undefined;
  const shape = batched ? input.shape.slice(1) : input.shape;
  const axes = axesOf(shape);
  const [height = 0, width = 0] = axes ? [shape[axes.height_axis], shape[axes.width_axis]] : [];
  const elements = shape.reduce((product, dim) => product * dim, 1);
  if (!axes || height < leastSide || width < leastSide || elements <= manyElements) return undefined;
  const { name } = input;
  const rest = { feature_names: [], groups: [], text: null, fixed: [], removal: null, superpixels: null, image: null };
  return {
    explained: { name, ...rest, grid: { rows: patches, columns: patches, ...axes } },
    reason: `input ${quoted(name)} is a picture of ${height} × ${width} pixels, divided into ${patches} × ${patches} patches`,
  };
}

/** Of [channels, height, width] or [height, width, channels], with the channels of a picture. */
function axesOf(shape: readonly number[]): { readonly height_axis: number; readonly width_axis: number } | undefined {
  const isChannels = (dim: number | undefined) => dim === 1 || dim === 3 || dim === 4;
  if (shape.length !== 3) return undefined;
  if (isChannels(shape[0])) return { height_axis: 1, width_axis: 2 };
  return isChannels(shape[2]) ? { height_axis: 0, width_axis: 1 } : undefined;
}
