import { ShoalError } from '@shoal/core';
import { type SharedMemory, type SharedMemoryReference, errorTexts } from '@shoal/protocol';
import type { FilePart } from '@shoal/link';
import { Region, type RegionSpec } from './region';

/** More regions than this, each an open file, are refused. */
const maxRegions = 4096;

/** Inputs of fewer bytes are read here: for them it costs more to open the file once more. */
const leftFromBytes = 64 * 1024;

/** The shared memory regions that clients registered, by name. */
export class Regions {
  readonly #directory: string;
  readonly #byName = new Map<string, Region>();

  /** @param directory Where shared memory lives. */
  constructor(directory = '/dev/shm') {
    this.#directory = directory;
  }

  /** @throws ShoalError ALREADY_EXISTS, INTERNAL or INVALID_ARGUMENT in Triton's words; RESOURCE_EXHAUSTED. */
  register(spec: RegionSpec): void {
    const name = errorTexts.clip(spec.name);
    if (this.#byName.has(spec.name)) {
      throw new ShoalError('ALREADY_EXISTS', `shared memory region '${name}' already in manager`);
    }
    if (this.#byName.size >= maxRegions) {
      throw new ShoalError('RESOURCE_EXHAUSTED', `more than ${maxRegions} shared memory regions are registered`);
    }
    this.#byName.set(spec.name, new Region(spec, this.#directory));
  }

  /** '' = all; a name that is not registered is no error. Requests under way keep what they use. */
  unregister(name: string): void {
    for (const [registered, region] of this.#byName) {
      if (name !== '' && registered !== name) continue;
      this.#byName.delete(registered);
      region.release();
    }
  }

  /** '' = all. @throws ShoalError NOT_FOUND for a name that is not registered. */
  status(name: string): RegionSpec[] {
    if (name === '') return [...this.#byName.values()].map((region) => region.spec);
    const region = this.#byName.get(name);
    if (!region) {
      throw new ShoalError('NOT_FOUND', `Unable to find system shared memory region: '${errorTexts.clip(name)}'`);
    }
    return [region.spec];
  }

  find(name: string): Region | undefined {
    return this.#byName.get(name);
  }
}

/** Who names regions in a request. */
export interface RegionUser {
  /** @throws ShoalError PERMISSION_DENIED */
  checkGroup(group: 'shared-memory'): void;
}

/** What one request does with registered regions. */
export class RegionUse implements SharedMemory {
  readonly #regions: Regions;
  readonly #user: RegionUser | undefined;
  /** Those that outputs go to or that inputs are left in, kept open until `release`. */
  readonly #kept = new Map<string, Region>();

  /** @param user Who asks; undefined where everybody may do everything. */
  constructor(regions: Regions, user: RegionUser | undefined) {
    this.#regions = regions;
    this.#user = user;
  }

  check(reference: SharedMemoryReference): void {
    this.#find(reference).check(reference);
  }

  read(reference: SharedMemoryReference): Buffer {
    return this.#find(reference).read(reference);
  }

  leave(reference: SharedMemoryReference): Uint8Array | FilePart {
    if (reference.byteSize < leftFromBytes) return this.read(reference);
    this.reserve(reference);
    return this.#find(reference).part(reference) ?? this.read(reference);
  }

  reserve(reference: SharedMemoryReference): void {
    const region = this.#find(reference);
    region.check(reference);
    if (this.#kept.get(reference.region) === region) return;
    region.retain();
    this.#kept.set(reference.region, region);
  }

  /** The place that was reserved for an output, as part of a file; undefined when it cannot be told. */
  part(reference: SharedMemoryReference): FilePart | undefined {
    return this.#kept.get(reference.region)?.part(reference);
  }

  /** Writes an output to the place that was reserved for it. */
  write(reference: SharedMemoryReference, bytes: Uint8Array): void {
    const region = this.#kept.get(reference.region);
    if (!region) throw errorTexts.sharedMemoryUnknown(reference.region);
    region.write(reference, bytes);
  }

  release(): void {
    for (const region of this.#kept.values()) region.release();
    this.#kept.clear();
  }

  #find({ region: name }: SharedMemoryReference): Region {
    // Before anything is looked up: the answer says nothing about the regions of others.
    this.#user?.checkGroup('shared-memory');
    const region = this.#kept.get(name) ?? this.#regions.find(name);
    if (!region) throw errorTexts.sharedMemoryUnknown(name);
    return region;
  }
}
