import { ShoalError } from '@shoal/core';

import type { OnnxModel } from '../onnx/onnx-model';
import { readOnnx } from '../onnx/read-onnx';
import { compileTrees } from './compile';
import type { Forest } from './forest';
import { joinForests } from './join-forests';
import { malformedTrees, tooLarge, treeLimits, unexplainedTrees } from './limits';
import { isEnsemble, type Margin } from './margin';
import { type Step, traceInput } from './trace-input';
import { isLogistic, OutputTrace } from './trace-output';

/** A tree ensemble read from a model file, to be explained from the inside. */
export interface TreeModel {
  readonly forest: Forest;
  /** The model's inputs with the features, one after the other: together [rows × features]. */
  readonly inputs: readonly { readonly name: string; readonly elements: number }[];
  /** The model's output that the trees' sums lead to. */
  readonly output: string;
  /** The output's column that each explained output belongs to. Two classes may have one score, the second's. */
  readonly columns: readonly number[];
  /** Class labels of all columns; empty: none. */
  readonly labels: readonly string[];
  /** What the model makes of the sums afterwards, such as LOGISTIC; undefined: they are its output. */
  readonly transform: string | undefined;
  /** The sums are the logits of the output: `transform` is 1/(1 + exp(−sum)). */
  readonly logistic: boolean;
  /** What is explained, in words. */
  readonly explained: string;
  /** What is done to feature values on their way into the trees. */
  readonly steps: readonly Step[];
}

/**
 * Reads the tree ensembles behind a model's output: by default the first output that has scores. Throws INVALID_ARGUMENT for
 * what is no model or no set of trees, UNIMPLEMENTED when something else than trees decides, RESOURCE_EXHAUSTED beyond
 * {@link treeLimits}.
 */
export function readTrees(file: Uint8Array, output?: string): TreeModel {
  if (file.length > treeLimits.bytes) throw tooLarge('the model file has too many bytes', treeLimits.bytes);
  const model = readOnnx(file);
  const names = model.graph.outputs.map((value) => value.name);
  if (output !== undefined && !names.includes(output))
    throw new ShoalError('INVALID_ARGUMENT', `the model has no output ${JSON.stringify(output.slice(0, 80))}`);
  if (!model.graph.nodes.some(isEnsemble)) throw unexplainedTrees('the model has no tree ensemble');
  let first: unknown;
  for (const name of output === undefined ? names.slice(0, 16) : [output])
    try {
      return read(model, name, new OutputTrace(model.graph).margin(name));
    } catch (error) {
      first ??= error;
      if (!(error instanceof ShoalError && error.code === 'UNIMPLEMENTED')) throw error;
    }
  throw first ?? malformedTrees('it has no outputs');
}

function read({ graph }: OnnxModel, output: string, margin: Margin): TreeModel {
  const { inputs, elements, steps } = traceInput(graph, new OutputTrace(graph), margin.source);
  const features = featureCount(elements, margin);
  const outputs = margin.columns.length;
  if (outputs > treeLimits.outputs) throw tooLarge('the tree ensemble has too many outputs', treeLimits.outputs);
  const forests = margin.parts.map((part) => scaled(compileTrees(part, features), margin.scale));
  const joined = forests.length === 1 ? (forests[0] as Forest) : joinForests(forests);
  const forest = { ...joined, base: joined.base.map((value, o) => value + (margin.offset[o] as number)) };
  const { columns, labels, transform } = margin;
  const named =
    columns.length === 1 && labels.length > 1 ? ` of class ${JSON.stringify(labels[columns[0] as number])}` : '';
  const explained = `the trees' summed score${named}${transform === undefined ? '' : `, before ${transform}`}`;
  return {
    forest,
    // Where sizes are not stated there is one input alone.
    inputs: inputs.map((input) => ({ name: input.name, elements: input.elements ?? features })),
    ...{ output, columns, labels, transform, logistic: isLogistic(transform), explained, steps },
  };
}

/** What the inputs' shapes say; without: one more than the highest feature that a tree looks at. */
function featureCount(stated: number | undefined, margin: Margin): number {
  let count = 1;
  for (const part of margin.parts) for (const feature of part.feature) count = Math.max(count, feature + 1);
  if (stated !== undefined) count = stated;
  if (!(count <= treeLimits.features)) throw tooLarge('the trees look at too many features', treeLimits.features);
  return count;
}

function scaled(forest: Forest, scale: Float64Array): Forest {
  return {
    ...forest,
    weights: forest.weights.map((value, at) => value * (scale[forest.targets[at] as number] as number)),
    base: forest.base.map((value, o) => value * (scale[o] as number)),
  };
}
