import { parse } from 'csv-parse/sync';
import type { ModelIo, TensorSpec } from '@shoal/load';
import { rowsOf } from './json-rows';
import type { InputRows } from './messages';
import { wrong } from './wrong';

/** Rows of a table, and what its columns are called. */
export interface CsvRows {
  readonly inputs: InputRows[];
  readonly names: readonly string[];
}

/**
 * A table whose first line names the columns: the features of a model of one numeric input.
 * @param row the line, 1 = the first after the names; undefined: all of them
 * @throws ShoalError INVALID_ARGUMENT
 */
export function csvRows(source: string, model: ModelIo, what: string, row?: number): CsvRows {
  const input = onlyInput(model, what);
  let lines: string[][];
  try {
    lines = parse(source, { bom: true, trim: true, skip_empty_lines: true });
  } catch (thrown) {
    throw wrong(`${what} is no CSV: ${(thrown as Error).message}`);
  }
  const [names = [], ...rest] = lines;
  if (names.length > 0 && names.every((name) => name !== '' && !Number.isNaN(Number(name)))) {
    throw wrong(`${what}: its first line is of numbers; it must name the columns`);
  }
  const chosen = row === undefined ? rest : rest.slice(row - 1, row);
  if (chosen.length === 0) throw wrong(`${what} has ${rest.length} rows after the names, and no row ${row ?? 1}`);
  const values = chosen.flatMap((line, at) =>
    line.map((cell, column) => {
      if (cell === '' || /^nan$/i.test(cell)) return Number.NaN;
      const value = Number(cell);
      if (!Number.isNaN(value)) return value;
      throw wrong(`${what}, row ${(row ?? 1) + at}: '${cell}' in column '${names[column] ?? column}' is no number`);
    }),
  );
  return { names, inputs: [rowsOf(input, values, model.maxBatchSize > 0, what, row === undefined ? undefined : 1)] };
}

/** @throws ShoalError INVALID_ARGUMENT when there are several. */
export function onlyInput(model: ModelIo, what: string): TensorSpec {
  const [input, ...more] = model.inputs;
  if (input && more.length === 0) return input;
  const names = model.inputs.map(({ name }) => name).join(', ');
  throw wrong(`${what} is for models of one input; '${model.name}' has ${names}: use --input`);
}
