/* Of shoal.explain.v1: what methods find that give features no values, as the loader gives it. What is absent is null, or not there. */

export interface AnchorRule {
  readonly predicates: readonly Predicate[];
  readonly precision: number;
  readonly lower: number;
  readonly upper: number;
  readonly coverage: number;
  readonly samples: number;
  readonly answer: number;
  readonly label: string;
  readonly found: boolean;
}

export interface Predicate {
  readonly feature: number;
  readonly above?: number;
  readonly up_to?: number;
  readonly equal?: number;
}

export interface CounterfactualSet {
  readonly rows: readonly {
    readonly values: readonly number[];
    readonly changed: readonly number[];
    readonly output: readonly number[];
    readonly distance: number;
  }[];
  readonly wanted: string;
  readonly already: boolean;
}

export interface Curve {
  readonly feature: number;
  readonly output: string;
  readonly index: number;
  readonly grid: readonly number[];
  readonly values: readonly number[];
  readonly standard_errors: readonly number[];
  readonly row_values: readonly number[];
  readonly row_at: number;
  readonly individual: readonly number[];
}

export interface Importance {
  readonly loss: number;
  readonly values: readonly number[];
  readonly standard_errors: readonly number[];
}

export interface HeatMap {
  readonly height: number;
  readonly width: number;
  readonly values: readonly number[];
}
