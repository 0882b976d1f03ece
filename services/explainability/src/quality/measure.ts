import { type Estimator, type Infidelity, infidelityOfMasks, removalCurve } from '@shoal/explain';
import { CoalitionSource } from '../perturbing/coalition-source';
import { type Measured, type Measuring, named, tooLate } from './measuring';
import { sensitivity } from './sensitivity';

/** Points of a curve at most, both ends among them. */
const mostPoints = 101;

/** How good attributions are, as far as time allows. @throws ShoalError as predictions do */
export async function measure(measuring: Measuring): Promise<Measured> {
  const { quality } = measuring;
  const measures: object[] = [];
  const warnings: string[] = [];
  const parts = [
    () => infidelityOf(measuring),
    () => (quality?.deletion ? curves(measuring, 'deletion') : nothing),
    () => (quality?.insertion ? curves(measuring, 'insertion') : nothing),
    () => sensitivity(measuring),
  ];
  for (const part of parts) {
    const found = await part();
    measures.push(...found.measures);
    warnings.push(...found.warnings);
  }
  return { measures, warnings };
}

const nothing: Measured = { measures: [], warnings: [] };

/** How well the values foretell what happens when features go together. */
async function infidelityOf(measuring: Measuring): Promise<Measured> {
  const { context, result, quality } = measuring;
  const samples = quality?.infidelity_samples ?? 0;
  if (samples === 0) return nothing;
  if (!isOfTheOutput(measuring)) {
    const why = 'the values are of a score within the model, which its predictions do not show';
    return { measures: [], warnings: [`infidelity is not measured: ${why}`] };
  }
  const estimator: Estimator<Infidelity> = infidelityOfMasks({
    attributions: result.outputs.map(({ values }) => values),
    ...{ samples, seed: context.seed, scaled: quality?.infidelity_scaled ?? false },
  });
  if ((await measuring.run({ source: sourceOf(measuring, estimator) })) === 'deadline') return tooLate('infidelity');
  const found = estimator.result();
  const measures = Array.from(found?.values ?? [], (value, at) => {
    return { ...named(measuring, 'infidelity', at), value, standard_error: found?.standardErrors[at] ?? Number.NaN };
  });
  return { measures, warnings: [] };
}

/** What the model says as the most important features go, or come. */
async function curves(measuring: Measuring, mode: 'deletion' | 'insertion'): Promise<Measured> {
  const { result } = measuring;
  const measures: object[] = [];
  for (const [at, { values }] of result.outputs.entries()) {
    const steps = Math.min(values.length + 1, mostPoints);
    const estimator = removalCurve({ values: values.map((value) => (Number.isNaN(value) ? 0 : value)), mode, steps });
    if ((await measuring.run({ source: sourceOf(measuring, estimator) })) === 'deadline') {
      return { measures, warnings: tooLate(mode).warnings };
    }
    const found = estimator.result();
    if (!found) continue;
    const { parts, outputs, area } = found;
    const column = columnOf(measuring, at);
    measures.push({
      ...named(measuring, mode, at),
      value: area[column],
      at: [...parts],
      curve: Array.from(parts, (_, point) => outputs[point * area.length + column]),
    });
  }
  return { measures, warnings: [] };
}

/** Coalitions of the same game that the values were found by. */
function sourceOf({ context }: Measuring, estimator: Estimator<unknown>): CoalitionSource {
  const { masker, link, background, ends } = context;
  return new CoalitionSource(estimator, { masker, link, weights: background.weights, ends });
}

/** Which of the chosen elements of the output a result is about. */
function columnOf({ context, result }: Measuring, at: number): number {
  return result.outputs.length === context.output.indices.length ? at : 0;
}

/** Trees are explained by their own score: it may be another thing than what the model answers. */
function isOfTheOutput({ context, result }: Measuring): boolean {
  const { full } = context.ends;
  return (
    result.outputs.length === full.length &&
    result.outputs.every(({ outputValue }, at) => {
      const own = full[at] as number;
      return Math.abs(outputValue - own) <= 1e-3 * (1 + Math.abs(own));
    })
  );
}
