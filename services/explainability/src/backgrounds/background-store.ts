import { type Bus, type StoredBackground, backgroundsPrefix } from '@shoal/bus';
import { ShoalError, toShoalError } from '@shoal/core';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { invalid, quoted } from '../requests/refuse';
import type { Tensor } from '../requests/tensor';
import { parseBackground } from './background-file';
import { decodeBackground, encodeBackground, rowsOf } from './stored-form';

/** A background by its name. */
export interface NamedBackground {
  readonly about: StoredBackground;
  readonly source: 'file' | 'stored';
}

export interface StoreLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Decoded rows that are kept at hand. */
const cached = 16;
const maxBackgrounds = 1_000;

/** Backgrounds that have names: from files of this process, and from the state of the cluster. Files win. */
export class BackgroundStore {
  readonly #bus: Bus;
  readonly #limits: StoreLimits;
  readonly #files = new Map<string, { readonly about: StoredBackground; readonly tensors: readonly Tensor[] }>();
  readonly #stored = new Map<string, StoredBackground>();
  /** By digest, the one used last at the end. */
  readonly #cache = new Map<string, readonly Tensor[]>();
  readonly #unwatch: () => void;

  /**
   * @param folder of NAME.csv and NAME.json; '' = none
   * @throws ShoalError INVALID_ARGUMENT for a folder or a file that cannot be used
   */
  constructor(bus: Bus, folder: string, limits: StoreLimits) {
    this.#bus = bus;
    this.#limits = limits;
    if (folder !== '') this.#readFolder(folder);
    this.#unwatch = bus.state.watch<StoredBackground>(backgroundsPrefix, (key, entry) => {
      const name = key.slice(backgroundsPrefix.length);
      if (entry) this.#stored.set(name, entry.value);
      else this.#stored.delete(name);
    });
  }

  /** All, or those for one model, by name. */
  list(model: string): NamedBackground[] {
    const all = new Map<string, NamedBackground>();
    for (const about of this.#stored.values()) all.set(about.name, { about, source: 'stored' });
    for (const { about } of this.#files.values()) all.set(about.name, { about, source: 'file' });
    return [...all.values()]
      .filter(({ about }) => model === '' || about.model === '' || about.model === model)
      .toSorted((a, b) => (a.about.name < b.about.name ? -1 : 1));
  }

  /** @throws ShoalError NOT_FOUND; UNAVAILABLE without the store */
  async get(name: string): Promise<NamedBackground & { readonly tensors: readonly Tensor[] }> {
    const file = this.#files.get(name);
    if (file) return { ...file, source: 'file' };
    const about = this.#stored.get(name);
    if (!about) throw new ShoalError('NOT_FOUND', `there is no background ${quoted(name)}`);
    const known = this.#cache.get(about.digest);
    const tensors = known ?? decodeBackground(await this.#bus.blobs.get(about.digest));
    this.#cache.delete(about.digest);
    this.#cache.set(about.digest, tensors);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= cached) break;
      this.#cache.delete(oldest);
    }
    return { about, source: 'stored', tensors };
  }

  /** @throws ShoalError INVALID_ARGUMENT; FAILED_PRECONDITION for a file's name; UNAVAILABLE without the store */
  async put(name: string, model: string, tensors: readonly Tensor[]): Promise<StoredBackground> {
    if (!/^[\w.-]{1,128}$/.test(name)) {
      throw invalid(`a background's name is up to 128 letters, digits, _, . and -, got ${quoted(name)}`);
    }
    this.#refuseFile(name);
    if (this.#stored.size >= maxBackgrounds && !this.#stored.has(name)) {
      throw new ShoalError('RESOURCE_EXHAUSTED', `there are ${maxBackgrounds} backgrounds: delete one first`);
    }
    const bytes = this.#encode(tensors, 'the background');
    const digest = await this.#bus.blobs.put(bytes);
    const about = aboutOf(name, model, digest, tensors);
    await this.#bus.state.put(backgroundsPrefix + name, about);
    this.#stored.set(name, about);
    return about;
  }

  /** @throws ShoalError NOT_FOUND; FAILED_PRECONDITION for a file's name; UNAVAILABLE without the store */
  async delete(name: string): Promise<void> {
    this.#refuseFile(name);
    if (!this.#stored.has(name)) throw new ShoalError('NOT_FOUND', `there is no background ${quoted(name)}`);
    // Its rows go with the next tidying of the blobs: another name may stand for the same.
    await this.#bus.state.delete(backgroundsPrefix + name);
    this.#stored.delete(name);
  }

  close(): void {
    this.#unwatch();
  }

  #refuseFile(name: string): void {
    if (!this.#files.has(name)) return;
    throw new ShoalError('FAILED_PRECONDITION', `background ${quoted(name)} is a file of the server's`);
  }

  #encode(tensors: readonly Tensor[], what: string): Buffer {
    const rows = rowsOf(tensors, what);
    if (rows > this.#limits.rows) throw invalid(`${what}: at most ${this.#limits.rows} rows, got ${rows}`);
    const bytes = encodeBackground(tensors);
    if (bytes.length > this.#limits.bytes) {
      throw invalid(`${what}: at most ${this.#limits.bytes} bytes, got ${bytes.length}`);
    }
    return bytes;
  }

  #readFolder(folder: string): void {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw invalid(`--explain-backgrounds ${folder}: there is no such folder`);
    }
    for (const file of readdirSync(folder).toSorted()) {
      const [, name, kind] = /^(.+)\.(csv|json)$/.exec(file) ?? [];
      if (name === undefined) continue;
      try {
        const tensors = parseBackground(kind as 'csv' | 'json', readFileSync(path.join(folder, file), 'utf8'));
        const digest = createHash('sha256').update(this.#encode(tensors, 'it')).digest('hex');
        this.#files.set(name, { about: aboutOf(name, '', digest, tensors), tensors });
      } catch (thrown) {
        throw new ShoalError('INVALID_ARGUMENT', `--explain-backgrounds: ${file}: ${toShoalError(thrown).message}`, {
          cause: thrown,
        });
      }
    }
  }
}

function aboutOf(name: string, model: string, digest: string, tensors: readonly Tensor[]): StoredBackground {
  return { name, model, digest, rows: tensors[0]?.shape[0] ?? 0, inputs: tensors.map((tensor) => tensor.name) };
}
