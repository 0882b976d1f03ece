import { ShoalError } from '@shoal/core';
import type { ModelIo } from './model-io';

/** Shapes by input name from `NAME:D1,D2,…` as perf_analyzer takes them. */
export function parseShapes(texts: readonly string[]): Map<string, readonly number[]> {
  return new Map(
    texts.map((text) => {
      const colon = text.lastIndexOf(':');
      const dims = text.slice(colon + 1).split(',');
      const numbers = dims.map(Number);
      if (colon < 1 || !numbers.every((dim, i) => dims[i]?.trim() !== '' && Number.isSafeInteger(dim) && dim >= 0)) {
        throw new ShoalError('INVALID_ARGUMENT', `--shape=${text}: expected NAME:D1,D2,… without the batch dimension`);
      }
      return [text.slice(0, colon), numbers] as const;
    }),
  );
}

/**
 * Each input's shape without the batch dimension: as the model declares it, with `given` where that leaves sizes open.
 * @throws ShoalError INVALID_ARGUMENT for what does not fit, with the option that would.
 */
export function resolveShapes(
  model: ModelIo,
  given: ReadonlyMap<string, readonly number[]>,
): Map<string, readonly number[]> {
  const names = new Set(model.inputs.map(({ name }) => name));
  for (const name of given.keys()) {
    if (names.has(name)) continue;
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `--shape=${name}:…: model '${model.name}' has the inputs ${[...names].join(', ')}`,
    );
  }
  return new Map(
    model.inputs.map(({ name, dims }) => {
      const shape = given.get(name);
      if (shape === undefined) {
        if (!dims.includes(-1)) return [name, dims] as const;
        const example = dims.map((dim) => (dim === -1 ? 16 : dim)).join(',');
        const text = `input '${name}' of model '${model.name}' has sizes that requests decide, [${dims.join(',')}]`;
        throw new ShoalError('INVALID_ARGUMENT', `${text}: say them, as in --shape=${name}:${example}`);
      }
      const fits = shape.length === dims.length && dims.every((dim, i) => dim === -1 || dim === shape[i]);
      if (fits) return [name, shape] as const;
      const text = `--shape=${name}:${shape.join(',')}: model '${model.name}' declares [${dims.join(',')}]`;
      throw new ShoalError('INVALID_ARGUMENT', text);
    }),
  );
}

/** @throws ShoalError INVALID_ARGUMENT when the model takes no such batch. */
export function checkBatchSize(model: ModelIo, batchSize: number): void {
  if (model.maxBatchSize === 0 && batchSize > 1) {
    throw new ShoalError('INVALID_ARGUMENT', `--batch-size=${batchSize}: model '${model.name}' has no batch dimension`);
  }
  if (model.maxBatchSize > 0 && batchSize > model.maxBatchSize) {
    const text = `--batch-size=${batchSize}: model '${model.name}' takes at most ${model.maxBatchSize}`;
    throw new ShoalError('INVALID_ARGUMENT', text);
  }
}
