export type { Attribution, ShapleyResult, StopReason } from './attribution';
export type { Estimator, MaskBatch, RowBatch, RowEstimator } from './estimator';
export type { SamplingOptions } from './games/convergence';
export { GameTable, mostExactPlayers } from './games/table';
export { gradCam, type LayerMaps, resample } from './gradient/grad-cam';
export type { GradientAnswers, GradientEstimator } from './gradient/gradient-estimator';
export { gradientShap, type GradientShapOptions, type SampledAttribution } from './gradient/gradient-shap';
export {
  integratedGradients,
  type IntegratedGradientsOptions,
  type PathAttribution,
} from './gradient/integrated-gradients';
export { embedding, lastConvolution } from './gradient/layers';
export {
  type GradientForm,
  saliency,
  type Sensitivity,
  smoothGrad,
  type SmoothGradOptions,
} from './gradient/smooth-grad';
export { gradientName, type GradientTwin, gradientTwin, outputWeights, type TwinOptions } from './gradient/twin';
export { type Background, type BackgroundInput, checkBackground, hashBackground } from './masking/background';
export { coalitionValues } from './masking/coalition-values';
export { fixedInput, type FixedInputOptions } from './masking/fixed-input';
export {
  eachItsOwn,
  gridGroups,
  type NamedPlayers,
  overChannels,
  playersOfGroups,
  tabularPlayers,
  wordGroups,
} from './masking/groups';
export type { Image } from './masking/image';
export { blurBaseline, constantBaseline, meanBaseline } from './masking/image-baselines';
export { inpaintedInput, type InpaintedInputOptions } from './masking/inpainted-input';
export { summarize, type Summary, type SummaryOptions } from './masking/k-means';
export { identityLink, type Link, logitLink } from './masking/link';
export { type InputMasker, type Masker, masker } from './masking/masker';
export { removingInput, type RemovingInputOptions } from './masking/removing-input';
export { type SuperpixelOptions, superpixels } from './masking/superpixels';
export { stringsInput, textInput, type TextPiece, wordsOfText } from './masking/text-input';
export { ablation } from './perturb/ablation';
export {
  accumulatedEffects,
  type AccumulatedEffects,
  type AccumulatedEffectsOptions,
} from './perturb/accumulated-effects';
export {
  type Counterfactual,
  type CounterfactualOptions,
  type CounterfactualResult,
  counterfactuals,
} from './perturb/counterfactual';
export type { FeatureRule } from './perturb/counterfactual-space';
export { type DataSet, gridOf } from './perturb/grid';
export { type Importance, type ImportanceOptions, permutationImportance } from './perturb/importance';
export { absoluteError, logLoss, type Loss, squaredError, wrongClass } from './perturb/losses';
export { occlusion, type OcclusionOptions } from './perturb/occlusion';
export { partialDependence, type PartialDependence, type PartialDependenceOptions } from './perturb/partial-dependence';
export { rise, type RiseOptions, type RiseResult } from './perturb/rise';
export type { Wanted } from './perturb/wanted';
export {
  type Infidelity,
  infidelityOfMasks,
  infidelityOfNoise,
  type InfidelityOptions,
  type NoiseInfidelityOptions,
} from './quality/infidelity';
export { removalCurve, type RemovalCurve, type RemovalCurveOptions } from './quality/removal-curve';
export {
  nearbyRow,
  relativeChange,
  sensitivityMax,
  type SensitivityMax,
  type SensitivityOptions,
} from './quality/sensitivity';
export { sampledBanzhaf } from './shapley/banzhaf';
export { exact, type ExactIndex, type ExactOptions, type InteractionIndex } from './shapley/exact';
export { kernelShap } from './shapley/kernel';
export { type Groups, owen } from './shapley/owen';
export { balancedTree, type FeatureTree, partition, type PartitionOptions } from './shapley/partition';
export { permutationShapley } from './shapley/permutation';
export { type InteractionOptions, sampledInteractions } from './shapley/sampled-interactions';
export { type Anchor, type Label, usualLabel } from './surrogate/anchor-plan';
export type { AnchorOptions } from './surrogate/anchor-search';
export {
  anchorOfMasks,
  anchorOfRow,
  type MaskAnchorOptions,
  type Predicate,
  type TabularAnchor,
  type TabularAnchorOptions,
} from './surrogate/anchors';
export { limeOfMasks, limeOfRow, type MaskLimeOptions, type TabularLimeOptions } from './surrogate/lime';
export type { LimeOptions, LimeOutput, LimeResult } from './surrogate/lime-plan';
export type { Steps } from './steps';
export { type InterventionalOptions, interventionalSteps, interventionalTrees } from './tree/interventional';
export { pathDependentObstacle, pathDependentTrees } from './tree/path-dependent';
export { readTrees, type TreeModel } from './tree/read-trees';
export {
  evaluateTrees,
  type TreeExplainer,
  type TreeExplainerOptions,
  type TreeInteractions,
} from './tree/tree-explainer';
