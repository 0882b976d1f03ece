export { bars, interval95 } from './bars';
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
export { heatMap } from './heat-map';
export { interactionMatrix } from './interaction-matrix';
export { type ReportSubject, reportPage } from './page';
export { type Rank, finite, ranked } from './ranked';
export { type SimulationSubject, simulationChart } from './simulation-chart';
export { columnsOf, figure, shortened, signed } from './text';
export { textHighlight } from './text-highlight';
export { waterfall } from './waterfall';
