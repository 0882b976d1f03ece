import { ShoalError } from '@shoal/core';
import { bytesOf } from '@shoal/tensor';
import type { Tensor } from '../requests/tensor';

/*
 * Rows in files that people write. CSV: a line for each row, a first line of names if it is no numbers. JSON: an array of rows, or
 * { "INPUT": [row, …], … } for several inputs; rows may be nested as the input's dimensions are.
 */

/** @param text of NAME.csv or NAME.json @throws ShoalError INVALID_ARGUMENT */
export function parseBackground(kind: 'csv' | 'json', text: string): Tensor[] {
  if (kind === 'csv') return [tensorOf('', csvRows(text))];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong('it is not JSON', cause);
  }
  if (Array.isArray(value)) return [tensorOf('', value)];
  if (typeof value !== 'object' || value === null) throw wrong('expected rows, or { "INPUT": rows }');
  return Object.entries(value).map(([name, rows]) => tensorOf(name, rows));
}

function csvRows(text: string): number[][] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const cells = lines.map((line) => line.split(',').map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell))));
  const hasNames = cells[0]?.some((cell) => Number.isNaN(cell)) ?? false;
  const rows = hasNames ? cells.slice(1) : cells;
  const broken = rows.findIndex((row) => row.some((cell) => Number.isNaN(cell)));
  if (broken >= 0) throw wrong(`line ${broken + 1 + Number(hasNames)} holds what is no number`);
  return rows;
}

function tensorOf(name: string, rows: unknown): Tensor {
  if (!Array.isArray(rows) || rows.length === 0) throw wrong('expected at least one row');
  const shape: number[] = [];
  for (let level: unknown = rows; Array.isArray(level); level = (level as unknown[])[0]) {
    shape.push((level as unknown[]).length);
  }
  const values: number[] = [];
  flatten(rows, shape, 0, values);
  return { name, datatype: 'FP64', shape, bytes: bytesOf(Float64Array.from(values)) };
}

function flatten(value: unknown, shape: readonly number[], depth: number, into: number[]): void {
  if (depth === shape.length) {
    if (typeof value !== 'number') throw wrong('it holds what is no number');
    into.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== shape[depth]) throw wrong('its rows are not all of one shape');
  for (const part of value) flatten(part, shape, depth + 1, into);
}

function wrong(text: string, cause?: unknown): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', text, { cause });
}
