import type { Anchor, Counterfactuals, Curve, Importance, PixelMap } from './found';

/** What was found out about one row: the answer of `shoal.explain.v1`, as pictures need it. Names in it come from anybody. */
export interface Explanation {
  readonly model: string;
  readonly version: string;
  readonly method: string;
  /** Why the method was chosen; '' = it was asked for. */
  readonly reason: string;
  /** More will be known. */
  readonly partial: boolean;
  readonly features: readonly Feature[];
  readonly outputs: readonly ExplainedOutput[];
  readonly exact: boolean;
  readonly converged: boolean;
  readonly stopReason: string;
  readonly evaluations: number;
  readonly rows: number;
  readonly requests: number;
  readonly seed: number;
  readonly link: { readonly name: 'identity' | 'logit'; readonly epsilon: number; readonly clamped: number };
  readonly background: Background | undefined;
  readonly warnings: readonly string[];
  readonly totalMs: number;
  readonly quality: readonly Measure[];
  readonly anchor?: Anchor | undefined;
  readonly counterfactuals?: Counterfactuals | undefined;
  readonly curves?: readonly Curve[] | undefined;
  readonly importance?: Importance | undefined;
}

export interface Feature {
  readonly name: string;
  readonly input: string;
  /** How many elements it holds. */
  readonly elements: number;
  /** Its value in the row, as text; '' = not shown. */
  readonly value: string;
}

/** One element of a model's output. Values are in link space. */
export interface ExplainedOutput {
  readonly output: string;
  readonly index: number;
  /** '' = the model has no labels. */
  readonly label: string;
  /** [features]; [] = the method gives features no values. */
  readonly values: readonly number[];
  /** [features]; undefined: the values are exact. NaN: not known. */
  readonly standardErrors: readonly number[] | undefined;
  readonly baseValue: number;
  readonly outputValue: number;
  readonly additivityGap: number;
  /** [features × features]; undefined: they were not asked for. */
  readonly interactions: readonly number[] | undefined;
  /** Of a picture's pixels; the values are means of it, which do not add up. */
  readonly map?: PixelMap | undefined;
  /** false: the values are no shares of anything, so that no sum of them means anything. */
  readonly adds?: boolean;
}

export interface Background {
  readonly name: string;
  readonly sha256: string;
  readonly rows: number;
  readonly source: string;
}

export interface Measure {
  readonly name: string;
  readonly output: string;
  readonly index: number;
  readonly value: number;
  /** NaN = not known. */
  readonly standardError?: number;
  /** Of curves, [points]: the part of the features, and the output. */
  readonly at?: readonly number[];
  readonly curve?: readonly number[];
}

/** A picture that was explained, and whose its pixels are. */
export interface PictureSubject {
  readonly height: number;
  readonly width: number;
  /** 1 = grey, 3 = red, green, blue. */
  readonly channels: 1 | 3;
  /** [height × width × channels], 0 to 255. */
  readonly pixels: Uint8Array;
  /** [height × width × channels]: the feature that each belongs to. */
  readonly featureOf: ArrayLike<number>;
}

/** `probability[3] "cat"`: an output for people. */
export function outputTitle({ output, index, label }: ExplainedOutput): string {
  return `${output}[${index}]${label === '' ? '' : ` (${label})`}`;
}
