import { ShoalError } from '@shoal/core';
import { embedding, outputWeights } from '@shoal/explain';
import { type InferResponseView, assembleInferRequest } from '@shoal/protocol';
import { fromNumbers } from '@shoal/tensor';
import { backgroundParameters } from '../perturbing/background-parameters';
import { numbersOf as numbersOfAnswer } from '../perturbing/gradient-requests';
import type { ExplainedInput } from '../requests/players';
import { quoted } from '../requests/refuse';
import type { MethodContext } from './method';

/** Token ids as the numbers that the model looks up by them: these have gradients. */
export interface Embedded {
  /** The tensor within the model, as if it were an explained input: [positions × width], each position's numbers the player's of its id. */
  readonly input: ExplainedInput;
  /** [positions × width] of the explained row. */
  readonly row: Float64Array;
  /** Of each background row. */
  readonly baselines: readonly Float64Array[];
}

/**
 * Looks up what ids stand for, of the row and of the background, by a twin of the model.
 * @throws ShoalError FAILED_PRECONDITION for an input by which the model looks nothing up; as the twin is made and loaded
 */
export async function embedded(context: MethodContext, input: ExplainedInput, at: number): Promise<Embedded> {
  const { output, background, row } = context;
  const layer = embedding(await context.modelFile(), input.name);
  if (layer === undefined) {
    throw new ShoalError(
      'FAILED_PRECONDITION',
      `input ${quoted(input.name)} is of ${input.datatype}, by which nothing can be differentiated, and the model has no table of embeddings that it looks up by it`,
    );
  }
  const { model } = await context.twin({ output: output.name, at: [layer] });
  const contents = background.contents[at] as Uint8Array;
  const size = contents.length / background.count;
  const rows = Array.from({ length: background.count }, (_, i) => contents.subarray(i * size, (i + 1) * size));
  const answers: InferResponseView[] = [];
  for (const ids of [row[at] as Uint8Array, ...rows]) {
    answers.push(await context.predict(lookUp(context, model, layer, input.name, ids)));
  }
  const [own, ...others] = answers.map((answer) => numbersOfAnswer(answer, layer));
  const described = answers[0]?.outputs.find(({ name }) => name === layer);
  const [, ...shape] = described?.shape ?? [];
  const values = own as Float64Array;
  const width = values.length / input.elements;
  if (!Number.isInteger(width) || others.some(({ length }) => length !== values.length)) {
    throw new ShoalError(
      'FAILED_PRECONDITION',
      `tensor '${layer}' of the model has ${values.length} numbers for ${input.elements} ids: it is no embedding of each of them`,
    );
  }
  const playerOf = Int32Array.from(
    { length: values.length },
    (_, i) => input.playerOf[Math.floor(i / width)] as number,
  );
  const datatype = described?.datatype as ExplainedInput['datatype'];
  return {
    input: { ...input, name: layer, datatype, shape, elements: values.length, playerOf, padding: undefined },
    row: values,
    baselines: others,
  };
}

/** A request of one row with other ids, for the numbers that they stand for. */
function lookUp(
  { wholeRow, output }: MethodContext,
  model: string,
  layer: string,
  name: string,
  ids: Uint8Array,
): Buffer {
  const inputs = wholeRow.map((one) => ({
    ...{ name: one.name, datatype: one.datatype, shape: one.shape },
    contents: one.name === name ? ids : one.bytes,
  }));
  const contents = fromNumbers(output.datatype, new Float64Array(output.elements));
  inputs.push({ name: outputWeights, datatype: output.datatype, shape: [1, output.elements], contents });
  return assembleInferRequest({
    model,
    version: '',
    id: '',
    parameters: backgroundParameters,
    inputs,
    outputs: [layer],
  });
}
