import { halfOctave } from './half-octave';
import { type LatencyCurve, LatencyModel } from './latency-model';

/** A curve of one queue, and the shape bucket that it is for. */
export interface BucketCurve extends LatencyCurve {
  readonly bucket: number;
}

/** Share of the newest batch in the smoothed overhead. */
const weight = 0.1;

/**
 * What a queue's batches take, by shape. Shapes are told apart by the bytes of a row, in half octaves: what a row costs goes
 * by its size, and there are never more than 64 of these, whatever clients send.
 */
export class LatencyTable {
  readonly #models: (LatencyModel | undefined)[] = [];
  /** What a batch takes beyond its run, smoothed: to travel, to wait for its bytes, to be told of. */
  overheadMs = 0;

  /** The bucket of requests, or of a batch, of so many bytes in so many rows. */
  static bucket(bytes: number, rows: number): number {
    return halfOctave(Math.max(1, Math.min(bytes / rows, 2 ** 32 - 1)));
  }

  /** The model of a bucket; undefined while it has seen nothing, nor knows from before. */
  model(bucket: number): LatencyModel | undefined {
    return this.#models[bucket];
  }

  /** A batch ran for `runMs` of the `tookMs` between its grant and its end. True when its bucket's curve was made anew. */
  observe(now: number, bucket: number, rows: number, runMs: number, tookMs: number): boolean {
    const model = (this.#models[bucket] ??= new LatencyModel());
    this.overheadMs += weight * (Math.max(0, tookMs - runMs) - this.overheadMs);
    return model.observe(now, rows, runMs);
  }

  /** All that there are. */
  *models(): Iterable<LatencyModel> {
    for (const model of this.#models) if (model !== undefined) yield model;
  }

  /** What was learnt, bucket after bucket. */
  get curves(): BucketCurve[] {
    return this.#models.flatMap((model, bucket) => {
      const learnt = model?.learnt;
      return learnt ? [{ bucket, ...learnt }] : [];
    });
  }

  /** Curves from before, for buckets of which nothing is known yet. */
  recall(curves: readonly BucketCurve[]): void {
    for (const { bucket, ...curve } of curves) this.#models[bucket] ??= new LatencyModel(curve);
  }
}
