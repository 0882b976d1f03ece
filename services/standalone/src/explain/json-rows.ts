import { type ModelIo, type TensorSpec, listedData } from '@shoal/load';
import { fromNumbers } from '@shoal/tensor';
import type { InputRows } from './messages';
import { wrong } from './wrong';

/**
 * One row or several in JSON: `{ "INPUT": [ … ] }`, or a V2 inference request.
 * @param what was given, for messages
 * @param rows 1: exactly one row; undefined: as many as there are
 * @throws ShoalError INVALID_ARGUMENT
 */
export function jsonRows(source: string, model: ModelIo, what: string, rows?: 1): InputRows[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch {
    throw wrong(`${what} is no JSON`);
  }
  const given = valuesOf(parsed, what);
  const unknown = [...given.keys()].find((name) => !model.inputs.some((input) => input.name === name));
  const names = model.inputs.map(({ name }) => name).join(', ');
  if (unknown !== undefined) throw wrong(`${what}: model '${model.name}' has no input '${unknown}'; it has ${names}`);
  return model.inputs.map((input) => {
    const values = given.get(input.name);
    if (values === undefined) throw wrong(`${what} has no input '${input.name}': model '${model.name}' takes ${names}`);
    return rowsOf(input, values, model.maxBatchSize > 0, `${what}: input '${input.name}'`, rows);
  });
}

function valuesOf(parsed: unknown, what: string): Map<string, readonly unknown[]> {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw wrong(`${what}: expected { "INPUT": [ … ] } or { "inputs": [ … ] }`);
  }
  const inputs = (parsed as { inputs?: unknown }).inputs;
  const isRequest = Array.isArray(inputs) && inputs.every((one) => typeof one === 'object' && one !== null);
  const entries: [string, unknown][] = isRequest
    ? inputs.map((one: { name?: unknown; data?: unknown }) => [String(one.name), one.data])
    : Object.entries(parsed);
  return new Map(
    entries.map(([name, values]) => {
      if (!Array.isArray(values)) throw wrong(`${what}: input '${name}' is no list`);
      return [name, values.flat(Number.POSITIVE_INFINITY) as unknown[]];
    }),
  );
}

/**
 * A tensor of an input from its elements, row-major.
 * @throws ShoalError INVALID_ARGUMENT when they are not so many, or not such values
 */
export function rowsOf(
  { name, datatype, dims }: TensorSpec,
  values: readonly unknown[],
  batched: boolean,
  what: string,
  rows?: 1,
): InputRows {
  const shape = shapeOf(dims, values.length, batched ? rows : 1);
  if (shape === undefined) {
    const wanted = `[${dims.map((dim) => (dim < 0 ? 'any' : dim)).join(', ')}]`;
    throw wrong(`${what} has ${values.length} elements; a row of it has the shape ${wanted}`);
  }
  const half = datatype === 'FP16' || datatype === 'BF16';
  const bytes = half ? fromNumbers(datatype, numbers(values, what)) : listedData(datatype, values, what);
  return { name, datatype, shape: batched ? shape : shape.slice(1), bytes };
}

function numbers(values: readonly unknown[], what: string): number[] {
  return values.map((value) => {
    if (typeof value === 'number') return value;
    throw wrong(`${what}: ${JSON.stringify(value)} is no number`);
  });
}

/** [rows, …] where it comes out even; one dimension of any size takes what is there. */
function shapeOf(dims: readonly number[], count: number, rows: 1 | undefined): number[] | undefined {
  const known = dims.reduce((product, dim) => (dim < 0 ? product : product * dim), 1);
  const open = dims.filter((dim) => dim < 0).length;
  if (open > 1 || known === 0 || count === 0) return undefined;
  if (open === 1) {
    // Where several rows may be meant, nobody can say where one ends: it is one.
    return count % known === 0 ? [1, ...dims.map((dim) => (dim < 0 ? count / known : dim))] : undefined;
  }
  const found = count / known;
  return Number.isInteger(found) && (rows === undefined || found === rows) ? [found, ...dims] : undefined;
}
