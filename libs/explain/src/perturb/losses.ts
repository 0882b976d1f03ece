/** How wrong one prediction is: [outputs] of it, and what was right. */
export type Loss = (prediction: Float64Array, target: number) => number;

/** (f − y)², of the first output. */
export const squaredError: Loss = (prediction, target) => ((prediction[0] as number) - target) ** 2;

/** |f − y|, of the first output. */
export const absoluteError: Loss = (prediction, target) => Math.abs((prediction[0] as number) - target);

/** 1 where the largest output is not the target's class, else 0: the mean is 1 − accuracy. */
export const wrongClass: Loss = (prediction, target) => (indexOfLargest(prediction) === target ? 0 : 1);

/** −ln of the target class's probability; of one output, this is the probability of class 1. Clamped at 1e-15. */
export const logLoss: Loss = (prediction, target) => {
  const one = prediction[0] as number;
  const p = prediction.length > 1 ? (prediction[target] ?? 0) : target === 1 ? one : 1 - one;
  return -Math.log(Math.max(p, 1e-15));
};

/** The first of the largest. */
export function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
