/* What methods find that give features no values: rules, rows, curves, losses. Numbers are in the units of the features. */

/** A rule under which the model nearly always answers the same. */
export interface Anchor {
  readonly predicates: readonly Predicate[];
  readonly precision: number;
  readonly lower: number;
  readonly upper: number;
  readonly coverage: number;
  readonly samples: number;
  /** The answer, as text. */
  readonly answer: string;
  /** It is as precise as was asked for. */
  readonly found: boolean;
}

/** What must hold of a feature; nothing: it must be present. */
export interface Predicate {
  readonly feature: number;
  readonly above: number | undefined;
  readonly upTo: number | undefined;
  readonly equal: number | undefined;
}

/** Rows of which the model says something else. */
export interface Counterfactuals {
  /** For people. */
  readonly wanted: string;
  readonly rows: readonly CounterfactualRow[];
}

export interface CounterfactualRow {
  /** [features] */
  readonly values: readonly number[];
  readonly changed: readonly number[];
  /** [elements of the output] */
  readonly output: readonly number[];
  readonly distance: number;
}

/** How an element of the output follows a feature. */
export interface Curve {
  readonly feature: number;
  readonly output: string;
  readonly index: number;
  /** [points], ascending. */
  readonly grid: readonly number[];
  readonly values: readonly number[];
  readonly standardErrors: readonly number[];
  /** [points]: the explained row's own; [] = there is none. */
  readonly rowValues: readonly number[];
  readonly rowAt: number;
  /** [rows × points]; [] = they were not asked for. */
  readonly individual: readonly number[];
}

/** What the model loses with each feature. */
export interface Importance {
  readonly loss: number;
  /** [features] */
  readonly values: readonly number[];
  readonly standardErrors: readonly number[];
}

/** [height × width] */
export interface PixelMap {
  readonly height: number;
  readonly width: number;
  readonly values: readonly number[];
}
