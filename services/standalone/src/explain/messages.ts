/* Messages of shoal.explain.v1, as the loader gives and takes them. */

import type { AnchorRule, CounterfactualSet, Curve, HeatMap, Importance } from './found-messages';

export interface ExplainResponse {
  readonly id: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly method: string;
  readonly reason: string;
  readonly partial: boolean;
  readonly features: readonly { readonly name: string; readonly input: string; readonly elements: number }[];
  readonly outputs: readonly OutputExplanation[];
  readonly exact: boolean;
  readonly converged: boolean;
  readonly stop_reason: string;
  readonly usage: { readonly evaluations: number; readonly rows: number; readonly requests: number } | null;
  readonly seed: number;
  readonly link: { readonly function: string; readonly epsilon: number; readonly clamped: number } | null;
  readonly background: Background | null;
  readonly warnings: readonly string[];
  readonly timings: { readonly total_ms: number } | null;
  readonly quality: readonly Measure[];
  readonly anchor: AnchorRule | null;
  readonly counterfactuals: CounterfactualSet | null;
  readonly curves: readonly Curve[];
  readonly importance: Importance | null;
  readonly divisions: readonly { readonly input: string; readonly feature_of: readonly number[] }[];
}

export interface OutputExplanation {
  readonly output: string;
  readonly index: number;
  readonly label: string;
  readonly values: readonly number[];
  readonly standard_errors: readonly number[];
  readonly base_value: number;
  readonly output_value: number;
  readonly additivity_gap: number;
  readonly interactions: readonly number[];
  readonly map: HeatMap | null;
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
  readonly standard_error: number;
  readonly at: readonly number[];
  readonly curve: readonly number[];
}

/** A tensor of a request, with its contents. */
export interface InputRows {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** How an input is divided. */
export interface ExplainedInput {
  readonly name: string;
  readonly feature_names: readonly string[];
  readonly groups?: readonly number[];
  readonly grid?: {
    readonly rows: number;
    readonly columns: number;
    readonly height_axis: number;
    readonly width_axis: number;
  };
  readonly text?: { readonly mask?: string };
  readonly superpixels?: { readonly segments: number; readonly height_axis: number; readonly width_axis: number };
  readonly image?: { readonly height_axis: number; readonly width_axis: number };
}
