import type { ByteSource } from '@shoal/tensor';
import type { CheckOptions, CheckedOutput } from './checked-request';
import { classificationOf, sharedMemoryOf } from './check-tensor-parameters';
import {
  contentsAndRaw,
  inputTwice,
  noData,
  sharedMemoryUnknown,
  sharedMemoryWithClassification,
  sharedMemoryWithContents,
} from './error-texts';
import type { InferRequestView } from './scan-request';
import { type TypedContents, measureContents } from './typed-contents';

/** An input in shared memory. */
interface SharedContents extends TypedContents {
  leave(): Uint8Array | ByteSource;
}

/** Where an input's raw bytes come from: they are there, or typed contents or shared memory will yield them. */
export type InputSource = Uint8Array | TypedContents | SharedContents;

export function byteLengthOf(source: InputSource): number {
  return source.byteLength;
}

export function rawBytes(source: InputSource): Uint8Array {
  return source instanceof Uint8Array ? source : source.toRaw();
}

/** As `rawBytes`, but those in shared memory may stay there. */
export function anyBytes(source: InputSource): Uint8Array | ByteSource {
  return 'leave' in source ? source.leave() : rawBytes(source);
}

/** No input may come twice. */
export function checkNames(view: InferRequestView): void {
  if (view.inputs.length < 2) return;
  const seen = new Set<string>();
  for (const { name } of view.inputs) {
    if (seen.has(name)) throw inputTwice(view.id, name);
    seen.add(name);
  }
}

/**
 * Finds each input's data, in the order of the inputs: shared memory, typed contents, or the next raw contents
 * (inputs in shared memory take none). Surplus raw contents are ignored.
 */
export function findData(view: InferRequestView, model: string, options: CheckOptions): InputSource[] {
  let nextRaw = 0;
  return view.inputs.map((input) => {
    const { name, contents } = input;
    const reference = sharedMemoryOf(name, input.parameters);
    if (reference !== undefined) {
      if (contents !== undefined) throw sharedMemoryWithContents(name, model);
      const { sharedMemory } = options;
      if (sharedMemory === undefined) throw sharedMemoryUnknown(reference.region);
      sharedMemory.check(reference);
      return {
        byteLength: reference.byteSize,
        toRaw: () => sharedMemory.read(reference),
        leave: () => sharedMemory.leave(reference),
      };
    }
    if (contents !== undefined) {
      if (view.rawInputContents.length > 0) throw contentsAndRaw(name, model);
      return measureContents(contents, name, model, input.datatype);
    }
    const raw = view.rawInputContents[nextRaw];
    if (raw === undefined) throw noData(name, model);
    nextRaw += 1;
    return raw;
  });
}

/** What is asked of one output by name, before the name is looked up. */
export type OutputWish = Omit<CheckedOutput, 'index'>;

/** Reads the requested outputs' parameters. An output named twice counts once, as first asked for. */
export function readOutputs(view: InferRequestView, options: CheckOptions): Map<string, OutputWish> {
  const wishes = new Map<string, OutputWish>();
  for (const { name, parameters } of view.outputs) {
    const reference = sharedMemoryOf(name, parameters);
    const classification = classificationOf(parameters);
    if (reference !== undefined) {
      if (classification > 0) throw sharedMemoryWithClassification();
      if (options.sharedMemory === undefined) throw sharedMemoryUnknown(reference.region);
      options.sharedMemory.reserve(reference);
    }
    const before = wishes.get(name);
    if (before === undefined) {
      wishes.set(name, { classification, ...(reference !== undefined && { sharedMemory: reference }) });
    } else if (before.classification === 0 && before.sharedMemory === undefined) {
      wishes.set(name, { classification, ...(reference !== undefined && { sharedMemory: reference }) });
    }
  }
  return wishes;
}
