import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ShoalError } from '@shoal/core';
import { walkByteElements, byteSize } from '@shoal/tensor';
import { listedData } from './made-data';
import type { ModelIo, TensorSpec } from './model-io';

/** One input of one request, without the batch dimension. */
export interface InputData {
  readonly shape: readonly number[];
  /** Raw contents. */
  readonly bytes: Uint8Array;
}

/** The inputs of one request by name. */
export type RequestData = ReadonlyMap<string, InputData>;

/**
 * Inputs from files: a JSON file as perf_analyzer reads it (`{ "data": [ { "INPUT0": [1, 2, …] }, … ] }`, or with
 * `{ "content": […], "shape": […] }` or `{ "b64": "…" }` for an input), one entry a request; or a folder that holds each
 * input's raw bytes under its name.
 * @throws ShoalError INVALID_ARGUMENT with the place and what was expected.
 */
export function readInputs(
  file: string,
  model: ModelIo,
  shapes: (input: TensorSpec) => readonly number[],
): RequestData[] {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `--input-data ${file}: expected random, zero, a JSON file or a folder`);
  }
  return found.isDirectory() ? [readFolder(file, model, shapes)] : readJson(file, model, shapes);
}

function readFolder(folder: string, model: ModelIo, shapes: (input: TensorSpec) => readonly number[]): RequestData {
  return new Map(
    model.inputs.map((input) => {
      const file = path.join(folder, input.name);
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
        throw new ShoalError('INVALID_ARGUMENT', `--input-data ${folder}: it has no file '${input.name}'`);
      }
      return [input.name, checked(file, input, shapes(input), readFileSync(file))] as const;
    }),
  );
}

function readJson(file: string, model: ModelIo, shapes: (input: TensorSpec) => readonly number[]): RequestData[] {
  const refuse = (why: string) => new ShoalError('INVALID_ARGUMENT', `--input-data ${file}: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    throw refuse(thrown instanceof SyntaxError ? thrown.message : 'it cannot be read');
  }
  const data = isObject(parsed) ? parsed['data'] : undefined;
  if (!Array.isArray(data) || data.length === 0) throw refuse('expected { "data": [ { "INPUT": [ … ] }, … ] }');
  // A list in the list is a sequence of requests.
  return (data as readonly unknown[]).flat().map((entry, i) => {
    if (!isObject(entry)) throw refuse(`data[${i}] is no object`);
    return new Map(
      model.inputs.map((input) => {
        const what = `--input-data ${file}: data[${i}].${input.name}`;
        return [input.name, readEntry(what, entry[input.name], input, shapes)] as const;
      }),
    );
  });
}

function readEntry(
  what: string,
  value: unknown,
  input: TensorSpec,
  shapes: (input: TensorSpec) => readonly number[],
): InputData {
  const asObject = isObject(value) ? value : { content: value };
  const { content, b64, shape } = asObject as { content?: unknown; b64?: unknown; shape?: unknown };
  const dims = Array.isArray(shape) ? shape.map(Number) : shapes(input);
  if (typeof b64 === 'string') return checked(what, input, dims, Buffer.from(b64, 'base64'));
  if (!Array.isArray(content)) {
    const forms = '[ … ], { "content": [ … ], "shape": [ … ] } or { "b64": "…" }';
    throw new ShoalError('INVALID_ARGUMENT', `${what}: expected ${forms}`);
  }
  const values = content.flat(Number.POSITIVE_INFINITY) as readonly unknown[];
  return checked(what, input, dims, listedData(input.datatype, values, what));
}

function checked(what: string, input: TensorSpec, shape: readonly number[], bytes: Uint8Array): InputData {
  const elements = shape.reduce((product, dim) => product * dim, 1);
  if (input.datatype === 'BYTES') {
    const walk = walkByteElements(bytes);
    if (walk.ok && walk.count === elements) return { shape, bytes };
    throw new ShoalError('INVALID_ARGUMENT', `${what}: expected ${elements} BYTES elements`);
  }
  const expected = byteSize(input.datatype, shape);
  if (bytes.length === expected) return { shape, bytes };
  const text = `${what}: ${bytes.length} bytes where ${input.datatype} [${shape.join(',')}] takes ${expected}`;
  throw new ShoalError('INVALID_ARGUMENT', text);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
