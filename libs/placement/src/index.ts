export { asError, judge, type Verdict } from './judge';
export { type LoadRequest, ModelDesires, type ModelDesiresDeps } from './model-desires';
export { type Candidate, place, type Placed, type PlaceModel, type PlaceWorker, type Refusal } from './place';
export { PlacementView } from './placement-view';
export { type Announced, type ModelPlan, planModels } from './plan';
