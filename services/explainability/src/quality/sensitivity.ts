import { type Random, seededRandom } from '@shoal/core';
import { nearbyRow, relativeChange } from '@shoal/explain';
import { fromNumbers, isDataType, toNumbers } from '@shoal/tensor';
import type { InferResponseView } from '@shoal/protocol';
import { startMethod } from '../methods/methods';
import type { MethodContext } from '../methods/method';
import { makeMasker } from '../perturbing/make-masker';
import { invalid } from '../requests/refuse';
import type { ChosenOutput } from '../requests/output-choice';
import type { Tensor } from '../requests/tensor';
import { type Measured, type Measuring, named, tooLate } from './measuring';

/** How far each number is moved at most, in its own units. */
const usualRadius = 0.02;

/**
 * Max-sensitivity: by how much attributions change, at most, when the row is moved a little; each row nearby is explained as the row was,
 * with the same seed, players and background.
 */
export async function sensitivity(measuring: Measuring): Promise<Measured> {
  const { context, result, method, quality, run } = measuring;
  const samples = quality?.sensitivity_samples ?? 0;
  if (samples === 0) return { measures: [], warnings: [] };
  const radius = (quality?.sensitivity_radius ?? 0) || usualRadius;
  const random = seededRandom(context.seed);
  const largest = new Float64Array(result.outputs.length);
  for (let sample = 0; sample < samples; sample += 1) {
    const near = await contextNear(measuring, radius, random);
    const running = await startMethod(method, near);
    const how = await run({ source: running.source, requests: running.requests ?? near.requests(near.output) });
    const answer = running.answer();
    if (how === 'deadline' || !answer) return tooLate('sensitivity');
    for (const [at, { values }] of result.outputs.entries()) {
      const other = answer.outputs[at]?.values ?? new Float64Array(values.length);
      largest[at] = Math.max(largest[at] as number, relativeChange(other, values));
    }
  }
  return {
    measures: Array.from(largest, (value, at) => ({ ...named(measuring, 'sensitivity', at), value })),
    warnings: [],
  };
}

/** A row nearby to be explained: only what belongs to players is moved. */
async function contextNear({ context, predict }: Measuring, radius: number, random: Random): Promise<MethodContext> {
  const { players, row, wholeRow, output, link, background } = context;
  const moved = players.inputs.map(({ datatype, playerOf }, at) => {
    const own = toNumbers(datatype, row[at] as Uint8Array);
    const other = nearbyRow(own, radius, random);
    return fromNumbers(
      datatype,
      other.map((value, element) => ((playerOf[element] as number) < 0 ? (own[element] as number) : value)),
    );
  });
  const near = wholeRow.map((tensor): Tensor => {
    const bytes = moved[players.inputs.findIndex(({ name }) => name === tensor.name)];
    return bytes ? { ...tensor, bytes } : tensor;
  });
  const said = sameOutput(await predict(near), output);
  return {
    ...context,
    row: moved,
    wholeRow: near,
    output: said,
    ends: { full: said.values.map((value) => link.apply(value)), empty: context.ends.empty },
    masker: makeMasker(players, near, background),
  };
}

/** The elements that were chosen for the row itself, as they are for another. */
function sameOutput({ outputs, rawOutputContents }: InferResponseView, output: ChosenOutput): ChosenOutput {
  const at = outputs.findIndex(({ name }) => name === output.name);
  const [datatype, raw] = [outputs[at]?.datatype ?? '', rawOutputContents[at]];
  if (!raw || !isDataType(datatype) || datatype === 'BYTES') throw invalid(`the model has no output '${output.name}'`);
  const all = toNumbers(datatype, raw);
  return { ...output, all, values: Float64Array.from(output.indices, (index) => all[index] as number) };
}
