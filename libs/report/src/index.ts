export { bars, interval95 } from './bars';
export { changedFeatures, counterfactualTable, unchangedText } from './counterfactual-table';
export { between, curvePanels, curvesOf } from './curve-panels';
export {
  type Background,
  type ExplainedOutput,
  type Explanation,
  type Feature,
  type Measure,
  type PictureSubject,
  outputTitle,
} from './explanation';
export { facts } from './facts';
export { force } from './force';
export type { Anchor, CounterfactualRow, Counterfactuals, Curve, Importance, PixelMap, Predicate } from './found';
export { heatMap } from './heat-map';
export { importanceBars, importanceOutput } from './importance-bars';
export { interactionMatrix } from './interaction-matrix';
export { type ReportSubject, reportPage } from './page';
export { type CentredOutput, centred } from './pixel-map';
export { qualityCurves, removalCurves } from './quality-curves';
export { type Rank, finite, ranked } from './ranked';
export { ruleChart } from './rule-chart';
export { percent, predicateText } from './rule-text';
export { type SimulationSubject, simulationChart } from './simulation-chart';
export { columnsOf, figure, shortened, signed } from './text';
export { textHighlight } from './text-highlight';
export { waterfall } from './waterfall';
