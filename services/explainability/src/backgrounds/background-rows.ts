/** What stands for absent players: rows of the explained inputs. */
export interface BackgroundRows {
  readonly count: number;
  /** By explained input: [count × elements] raw contents in the input's data type. */
  readonly contents: readonly Uint8Array[];
  /** [count], adding up to 1. */
  readonly weights: Float64Array;
  readonly source: 'file' | 'stored' | 'request' | 'generated';
  /** '' = it was not stored. */
  readonly name: string;
  /** SHA-256 of the rows as they are used, hex. */
  readonly sha256: string;
  /** What is absent of an image is painted over from what surrounds it; the one row is what there is without any of it. */
  readonly inpaints?: boolean;
  readonly warnings: readonly string[];
}
