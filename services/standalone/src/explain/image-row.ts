import { decode } from 'fast-png';
import type { ModelIo } from '@shoal/load';
import { fromNumbers } from '@shoal/tensor';
import { onlyInput } from './csv-rows';
import type { InputRows } from './messages';
import { readPortableMap } from './portable-map';
import { wrong } from './wrong';

/** Pixels by row, colours beside each other, 0 to 255. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** A picture as the model takes it. */
export interface ImageRow {
  readonly input: InputRows;
  readonly pixels: Pixels;
  /** Of one row's shape: which axes are height and width. */
  readonly heightAxis: number;
  readonly widthAxis: number;
  /** [height × width × channels]: the element of the input that each value of the pixels became. */
  readonly elementOf: Uint32Array;
}

/**
 * PNG (8 or 16 bits), PGM or PPM; transparency is left out.
 * @param what was given, for messages
 * @throws ShoalError INVALID_ARGUMENT
 */
export function readPixels(bytes: Uint8Array, what: string): Pixels {
  if (bytes[0] === 0x50 && bytes[1] !== 0x4e) return readPortableMap(bytes, what);
  let png;
  try {
    png = decode(bytes);
  } catch (thrown) {
    throw wrong(`${what} is neither PNG nor PGM nor PPM: ${(thrown as Error).message}`);
  }
  const { width, height, depth, palette } = png;
  if (depth !== 8 && depth !== 16) throw wrong(`${what} has ${depth} bits a sample; PNG of 8 or 16 are read`);
  const shift = depth === 16 ? 8 : 0;
  if (palette) {
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      return palette[png.data[Math.floor(i / 3)] as number]?.[i % 3] ?? 0;
    });
    return { width, height, channels: 3, data };
  }
  const channels = png.channels >= 3 ? 3 : 1;
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    return (png.data[Math.floor(i / channels) * png.channels + (i % channels)] as number) >> shift;
  });
  return { width, height, channels, data };
}

/**
 * The model's one input from a picture: [channels, height, width], [height, width, channels], [height, width], or all in one dimension.
 * @throws ShoalError INVALID_ARGUMENT when the picture has another size
 */
export function imageRow(pixels: Pixels, model: ModelIo, scale: number, what: string): ImageRow {
  const input = onlyInput(model, what);
  const { datatype, dims } = input;
  if (datatype === 'BYTES' || datatype === 'BOOL') throw wrong(`${what}: input '${input.name}' is of ${datatype}`);
  const layout = layoutOf(dims, pixels);
  if (layout === undefined) {
    const has = `${pixels.width} × ${pixels.height} pixels of ${pixels.channels === 1 ? 'one channel' : 'three channels'}`;
    throw wrong(`${what} has ${has}; input '${input.name}' takes [${dims.join(', ')}]`);
  }
  const { height, width, channels, data } = pixels;
  const elementOf = Uint32Array.from(data, (_, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    return layout.planes ? channel * height * width + pixel : i;
  });
  const floating = /^(?:FP|BF)/.test(datatype);
  const factor = scale === 0 ? (floating ? 1 / 255 : 1) : scale;
  const values = new Float64Array(data.length);
  data.forEach((value, i) => {
    values[elementOf[i] as number] = value * factor;
  });
  const shape = model.maxBatchSize > 0 ? [1, ...layout.shape] : layout.shape;
  return {
    input: { name: input.name, datatype, shape, bytes: fromNumbers(datatype, values) },
    ...{ pixels, elementOf, heightAxis: layout.heightAxis, widthAxis: layout.widthAxis },
  };
}

interface Layout {
  readonly shape: readonly number[];
  readonly heightAxis: number;
  readonly widthAxis: number;
  /** One colour after the other. */
  readonly planes: boolean;
}

/** The first arrangement that the input's dimensions allow. A batch dimension of a model that does not batch may lead. */
function layoutOf(dims: readonly number[], { height, width, channels }: Pixels): Layout | undefined {
  const layouts: Layout[] = [
    { shape: [channels, height, width], heightAxis: 1, widthAxis: 2, planes: true },
    { shape: [height, width, channels], heightAxis: 0, widthAxis: 1, planes: false },
    ...(channels === 1 ? [{ shape: [height, width], heightAxis: 0, widthAxis: 1, planes: false }] : []),
  ];
  const found = layouts.find(({ shape }) => fits(dims, shape));
  if (found) return found;
  const leading = layouts.find(({ shape }) => fits(dims, [1, ...shape]));
  if (!leading) return undefined;
  const { shape, heightAxis, widthAxis, planes } = leading;
  return { shape: [1, ...shape], heightAxis: heightAxis + 1, widthAxis: widthAxis + 1, planes };
}

function fits(dims: readonly number[], shape: readonly number[]): boolean {
  return dims.length === shape.length && dims.every((dim, axis) => dim < 0 || dim === shape[axis]);
}
