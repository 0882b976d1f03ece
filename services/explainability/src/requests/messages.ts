/* Messages of shoal.explain.v1 as the loader gives them: what is absent is null, defaults are filled in. */

/** inference.ModelInferRequest.InferInputTensor. */
export interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents: Readonly<Record<string, readonly unknown[]>> | null;
}

export interface RowsMessage {
  readonly inputs: readonly TensorMessage[];
  readonly raw_input_contents: readonly Buffer[];
}

export interface ExplainedInputMessage {
  readonly name: string;
  readonly feature_names: readonly string[];
  readonly groups: readonly number[];
  readonly grid: GridMessage | null;
  readonly text: TextMessage | null;
  readonly fixed: readonly number[];
  readonly removal: { readonly padding: number } | null;
  readonly superpixels: SuperpixelsMessage | null;
  readonly image: ImageAxesMessage | null;
}

export interface ImageAxesMessage {
  readonly height_axis: number;
  readonly width_axis: number;
}

export interface SuperpixelsMessage extends ImageAxesMessage {
  readonly segments: number;
  readonly compactness: number;
}

export interface TextMessage {
  readonly mask?: string;
  readonly pieces: readonly string[];
}

export interface GridMessage extends ImageAxesMessage {
  readonly rows: number;
  readonly columns: number;
}

export interface BaselineMessage {
  readonly baseline?: 'rows' | 'background' | 'generator';
  readonly rows?: RowsMessage;
  readonly background?: string;
  readonly generator?: {
    readonly kind: 'ZERO' | 'MEAN' | 'CONSTANT' | 'CHANNEL_MEAN' | 'BLUR' | 'INPAINT';
    readonly value: number;
  };
  readonly summarize: number;
  readonly sample: number;
}

export interface OutputChoiceMessage {
  readonly name: string;
  readonly choice?: 'indices' | 'top_k' | 'argmax' | 'all';
  readonly indices?: { readonly index: readonly number[] };
  readonly top_k?: number;
  readonly argmax?: boolean;
  readonly all?: boolean;
}

export interface LinkMessage {
  readonly function: 'IDENTITY' | 'LOGIT';
  readonly epsilon: number;
}

export interface AnchorsMessage {
  readonly precision: number;
  readonly delta: number;
  readonly tolerance: number;
  readonly beam: number;
  readonly max_size: number;
  readonly bins: number;
  readonly categorical: readonly number[];
  readonly same_within: number;
}

export interface CounterfactualsMessage {
  readonly count: number;
  readonly target?: number;
  readonly tolerance: number;
  readonly low?: number;
  readonly high?: number;
  readonly rules: readonly FeatureRuleMessage[];
}

export interface FeatureRuleMessage {
  readonly feature: number;
  readonly fixed: boolean;
  readonly low?: number;
  readonly high?: number;
  readonly integer: boolean;
  readonly values: readonly number[];
}

/** What the methods can be told, by their names in the request's oneof. */
export interface MethodMessages {
  readonly auto?: object;
  readonly exact?: { readonly banzhaf: boolean };
  readonly kernel_shap?: object;
  readonly permutation?: object;
  readonly owen?: { readonly groups: readonly { readonly players: readonly number[] }[] };
  readonly partition?: object;
  readonly banzhaf?: object;
  readonly ablation?: object;
  readonly occlusion?: { readonly window: readonly number[]; readonly stride: readonly number[] };
  readonly lime?: { readonly samples: number; readonly kernel_width: number; readonly ridge: number };
  readonly anchors?: AnchorsMessage;
  readonly counterfactuals?: CounterfactualsMessage;
  readonly partial_dependence?: {
    readonly features: readonly number[];
    readonly points: number;
    readonly uniform: boolean;
    readonly individual: boolean;
  };
  readonly accumulated_effects?: { readonly features: readonly number[]; readonly intervals: number };
  readonly permutation_importance?: {
    readonly targets: readonly number[];
    readonly loss: 'SQUARED_ERROR' | 'ABSOLUTE_ERROR' | 'WRONG_CLASS' | 'LOG_LOSS';
    readonly repeats: number;
  };
  readonly integrated_gradients?: { readonly steps: number };
  readonly smooth_grad?: { readonly samples: number; readonly sigma: number };
  readonly gradient_shap?: { readonly samples: number; readonly sigma: number };
  readonly rise?: { readonly masks: number; readonly cells: number; readonly present: number };
  readonly grad_cam?: { readonly layer: string; readonly signed: boolean };
  readonly saliency?: { readonly times_input: boolean };
  readonly tree_shap?: { readonly path_dependent: boolean };
  readonly interactions?: { readonly index: 'SII' | 'K_SII' | 'STII' };
}

export interface QualityMessage {
  readonly infidelity_samples: number;
  readonly sensitivity_samples: number;
  readonly deletion: boolean;
  readonly insertion: boolean;
  readonly sensitivity_radius: number;
  readonly infidelity_scaled: boolean;
}

export interface ExplainRequestMessage extends RowsMessage, MethodMessages {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly explained: readonly ExplainedInputMessage[];
  readonly baseline: BaselineMessage | null;
  readonly output: OutputChoiceMessage | null;
  readonly link: LinkMessage | null;
  readonly budget: { readonly max_evaluations: number; readonly target_error: number } | null;
  readonly seed: number;
  readonly row_batch: number;
  readonly quality: QualityMessage | null;
  /** Which method was asked for. */
  readonly method?: string;
}

export interface PutBackgroundMessage {
  readonly name: string;
  readonly model: string;
  readonly rows: RowsMessage | null;
}
