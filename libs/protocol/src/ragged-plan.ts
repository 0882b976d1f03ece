import type { ModelConfig__Output as ModelConfig } from './generated/inference/ModelConfig';

/** What the server makes of the shapes in a batch for the model (`batch_input`), by Triton's kinds. */
export type BatchInputKind = Exclude<ModelConfig['batch_input'][number]['kind'], number>;

/** An input that the server fills, not the client. */
export interface BatchInput {
  readonly name: string;
  readonly kind: BatchInputKind;
  readonly datatype: 'INT32' | 'FP32';
  /** Index of the configured input whose shapes it tells of. */
  readonly source: number;
}

/** An output of which each request gets as much as the shape of one of its inputs says (`BATCH_SCATTER_WITH_INPUT_SHAPE`). */
export interface ScatteredOutput {
  /** Indexes of the configured output, and of that input. */
  readonly output: number;
  readonly source: number;
}

/** How requests of different shapes share a batch. */
export interface RaggedPlan {
  readonly batchInputs: readonly BatchInput[];
  readonly scattered: readonly ScatteredOutput[];
}

/** Undefined for a model all of whose inputs are as most are. What names no input or output is left out: repositories refuse it. */
export function compileRagged({
  input,
  output,
  batch_input: batchInput,
  batch_output: batchOutput,
}: ModelConfig): RaggedPlan | undefined {
  const ragged = input.some((one) => one.allow_ragged_batch);
  if (!ragged && batchInput.length === 0 && batchOutput.length === 0) return undefined;
  const sourceOf = (names: readonly string[]) => input.findIndex(({ name }) => name === names[0]);
  const batchInputs = batchInput.flatMap(({ kind, target_name: targets, data_type: type, source_input: names }) => {
    const datatype = type === 'TYPE_FP32' ? ('FP32' as const) : ('INT32' as const);
    return targets.map((name) => ({ name, kind: kind as BatchInputKind, datatype, source: sourceOf(names) }));
  });
  const scattered = batchOutput.flatMap(({ target_name: targets, source_input: names }) =>
    targets.map((name) => ({ output: output.findIndex((one) => one.name === name), source: sourceOf(names) })),
  );
  return {
    batchInputs: batchInputs.filter(({ source }) => source >= 0),
    scattered: scattered.filter((one) => one.source >= 0 && one.output >= 0),
  };
}
