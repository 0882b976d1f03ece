import type { ModelConfig } from '@shoal/protocol';
import { invalid } from './refuse';

/** Checks `batch_input` and `batch_output` by Triton's rules and words. */
export function checkBatchIo(config: ModelConfig, model: string): void {
  const inputs = new Set(config.input.map(({ name }) => name));
  const outputs = new Set(config.output.map(({ name }) => name));
  const given = new Set(inputs);
  for (const { kind, target_name: targets, data_type: type, source_input: sources } of config.batch_input) {
    checkSources('input', kind, sources, inputs);
    if (type !== 'TYPE_INT32' && type !== 'TYPE_FP32')
      throw invalid('batch input data type must be TYPE_INT32 or TYPE_FP32');
    if (targets.length === 0) throw invalid(`batch input must specify 'target_name' for ${model}`);
    for (const target of targets) {
      if (given.has(target)) throw invalid(`batch input '${target}' is specified more than once for ${model}`);
      given.add(target);
    }
  }
  const scattered = new Set<string>();
  for (const { kind, target_name: targets, source_input: sources } of config.batch_output) {
    checkSources('output', kind, sources, inputs);
    for (const target of targets) {
      if (!outputs.has(target)) throw invalid(`unknown target output name '${target}'`);
      if (scattered.has(target)) throw invalid(`target output name '${target}' can only be specified once`);
      scattered.add(target);
    }
  }
}

function checkSources(
  which: 'input' | 'output',
  kind: string | number,
  sources: readonly string[],
  inputs: ReadonlySet<string>,
): void {
  if (sources.length !== 1)
    throw invalid(`batch ${which} kind '${kind}' expects 1 source input, got ${sources.length}`);
  for (const source of sources) if (!inputs.has(source)) throw invalid(`unknown source input name '${source}'`);
}
