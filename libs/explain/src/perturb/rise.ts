import { seededRandom, ShoalError } from '@shoal/core';
import { rowEstimator, type RowPlan } from '../asking';
import type { RowEstimator } from '../estimator';
import { Moments } from '../games/moments';
import { checkImage, type Image, layoutOf } from '../masking/image';

export interface RiseOptions {
  readonly image: Image;
  /** What hidden parts fade into, laid out as the image. */
  readonly baseline: Float64Array;
  /** Masks drawn: evaluations. */
  readonly masks: number;
  /** Cells of the mask's grid along each side, before it is enlarged. */
  readonly cells?: number;
  /** Probability that a cell is visible. */
  readonly visible?: number;
  readonly seed: number;
}

export interface RiseResult {
  /** Importance of each pixel per output: the mean output where it is visible, [height × width]. */
  readonly maps: readonly Float64Array[];
  /** Their standard errors, same shapes; NaN before the second mask. */
  readonly standardErrors: readonly Float64Array[];
  readonly evaluations: number;
}

/** Smooth random masks, the same for the same seed: one copy writes them, another knows them when told. */
class RandomMasks {
  /** The mask under way: visibility from 0 to 1, [height × width]. */
  readonly mask: Float64Array;
  private readonly random;
  private readonly grid: Float64Array;
  private readonly cells: number;
  private readonly visible: number;
  private readonly height: number;
  private readonly width: number;
  /** Where each column lies in the grid, and a row of the grid between two of its rows. */
  private readonly across: Float64Array;
  private readonly row: Float64Array;

  constructor(height: number, width: number, cells: number, visible: number, seed: number) {
    this.random = seededRandom(seed);
    this.grid = new Float64Array(cells * cells);
    this.mask = new Float64Array(height * width);
    [this.across, this.row] = [new Float64Array(width), new Float64Array(cells)];
    [this.cells, this.visible, this.height, this.width] = [cells, visible, height, width];
  }

  /** Draws a grid, enlarges it bilinearly to (cells + 1) cell sizes, and cuts the image's size out of it at random. */
  draw(): void {
    const { random, grid, cells, height, width } = this;
    for (let i = 0; i < grid.length; i++) grid[i] = random.next() < this.visible ? 1 : 0;
    const [cellHeight, cellWidth] = [Math.ceil(height / cells), Math.ceil(width / cells)];
    const [top, left] = [Math.floor(random.next() * cellHeight), Math.floor(random.next() * cellWidth)];
    for (let x = 0; x < width; x++) this.across[x] = this.place(x + left, cellWidth);
    for (let y = 0; y < height; y++) {
      const gy = this.place(y + top, cellHeight);
      const upper = Math.floor(gy);
      const fy = gy - upper;
      const lower = Math.min(upper + 1, cells - 1);
      for (let c = 0; c < cells; c++)
        this.row[c] = (1 - fy) * (grid[upper * cells + c] as number) + fy * (grid[lower * cells + c] as number);
      for (let x = 0; x < width; x++) {
        const gx = this.across[x] as number;
        const c = Math.floor(gx);
        const near = this.row[c] as number;
        this.mask[y * width + x] = near + (gx - c) * ((this.row[Math.min(c + 1, cells - 1)] as number) - near);
      }
    }
  }

  /** Where pixel `i` of the enlarged grid lies between the cells' centres. */
  private place(i: number, size: number): number {
    const at = ((i + 0.5) * this.cells) / ((this.cells + 1) * size) - 0.5;
    return Math.min(Math.max(at, 0), this.cells - 1);
  }
}

class RisePlan implements RowPlan<RiseResult> {
  readonly width: number;
  private readonly options: RiseOptions;
  private readonly visible: number;
  private readonly ahead: RandomMasks;
  private readonly behind: RandomMasks;
  private written = 0;
  private observed: Float64Array = new Float64Array(0);
  private moments = new Moments(0);
  done = false;

  constructor(options: RiseOptions) {
    checkImage(options.image);
    const { image, baseline, masks, cells = 7, visible = 0.5, seed } = options;
    if (baseline.length !== image.values.length)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `the baseline must have the image's ${image.values.length} values, got ${baseline.length}`,
      );
    if (!(masks >= 1 && Number.isInteger(cells) && cells >= 1 && visible > 0 && visible < 1))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `RISE needs at least one mask and one cell, and a probability between 0 and 1; got ${masks}, ${cells} and ${visible}`,
      );
    this.options = options;
    this.width = image.values.length;
    this.visible = visible;
    this.ahead = new RandomMasks(image.height, image.width, cells, visible, seed);
    this.behind = new RandomMasks(image.height, image.width, cells, visible, seed);
  }

  write(rows: Float64Array, at: number): boolean {
    const { image, baseline, masks } = this.options;
    if (this.written >= masks) return false;
    this.written++;
    this.ahead.draw();
    const { step, first } = layoutOf(image);
    const { mask } = this.ahead;
    for (let channel = 0; channel < image.channels; channel++) {
      let i = first(channel);
      for (let pixel = 0; pixel < mask.length; pixel++, i += step) {
        const hidden = baseline[i] as number;
        rows[at + i] = hidden + (mask[pixel] as number) * ((image.values[i] as number) - hidden);
      }
    }
    return true;
  }

  take(values: Float64Array): void {
    this.behind.draw();
    const { mask } = this.behind;
    if (this.observed.length === 0) {
      this.observed = new Float64Array(values.length * mask.length);
      this.moments = new Moments(this.observed.length);
    }
    for (let o = 0; o < values.length; o++) {
      const share = (values[o] as number) / this.visible;
      for (let pixel = 0; pixel < mask.length; pixel++)
        this.observed[o * mask.length + pixel] = share * (mask[pixel] as number);
    }
    this.moments.add(this.observed);
    this.done = this.moments.count >= this.options.masks;
  }

  result(): RiseResult | undefined {
    const { moments } = this;
    if (moments.count === 0) return undefined;
    const pixels = this.behind.mask.length;
    const outputs = Array.from({ length: this.observed.length / pixels }, (_, o) => o);
    return {
      maps: outputs.map((o) => moments.mean.slice(o * pixels, (o + 1) * pixels)),
      standardErrors: outputs.map((o) => moments.errors(o * pixels, (o + 1) * pixels)),
      evaluations: moments.count,
    };
  }
}

/**
 * RISE (Petsiuk et al. 2018): S = 1/(N·p) · Σ f(x ⊙ Mᵢ) · Mᵢ over smooth random masks; with a baseline that is not 0 hidden parts
 * fade into it.
 */
export function rise(options: RiseOptions): RowEstimator<RiseResult> {
  return rowEstimator(new RisePlan(options));
}
