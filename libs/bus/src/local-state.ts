import { ShoalError } from '@shoal/core';
import { LocalValues } from './local-values';
import type { BlobStore, StateEntry, StateStore } from './state';
import { checkKey, digestOf, noBlob, overtaken } from './state-errors';

/** The state of one process, in memory: the twin of the KV bucket. */
export class LocalState implements StateStore {
  readonly #entries = new Map<string, StateEntry<object>>();
  readonly #shown: LocalValues;
  #revision = 0;
  #closed = false;

  constructor(onError: (thrown: unknown) => void) {
    this.#shown = new LocalValues(onError);
  }

  get<T extends object>(key: string): Promise<StateEntry<T> | undefined> {
    return this.#do(key, () => this.#entries.get(key) as StateEntry<T> | undefined);
  }

  put<T extends object>(key: string, value: T, expected?: number): Promise<number> {
    return this.#do(key, () => {
      this.#check(key, expected);
      const entry = { value, revision: ++this.#revision };
      this.#entries.set(key, entry);
      this.#shown.set(key, entry);
      return entry.revision;
    });
  }

  delete(key: string, expected?: number): Promise<void> {
    return this.#do(key, () => {
      this.#check(key, expected);
      this.#entries.delete(key);
      this.#shown.set(key, undefined);
    });
  }

  watch<T extends object>(
    prefix: string,
    listener: (key: string, entry: StateEntry<T> | undefined) => void,
  ): () => void {
    return this.#shown.watch(prefix, listener as (key: string, value: object | undefined) => void);
  }

  close(): void {
    this.#closed = true;
    this.#shown.close();
  }

  #do<R>(key: string, action: () => R): Promise<R> {
    return new Promise((resolve) => {
      checkKey(key);
      if (this.#closed) throw new ShoalError('UNAVAILABLE', 'the bus is closed');
      resolve(action());
    });
  }

  #check(key: string, expected: number | undefined): void {
    if (expected !== undefined && expected !== (this.#entries.get(key)?.revision ?? 0)) throw overtaken(key);
  }
}

/** The files of one process, in memory. */
export class LocalBlobs implements BlobStore {
  readonly #blobs = new Map<string, Buffer>();

  put(bytes: Uint8Array): Promise<string> {
    return new Promise((resolve) => {
      const digest = digestOf(bytes);
      this.#blobs.set(digest, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      resolve(digest);
    });
  }

  get(digest: string): Promise<Buffer> {
    const bytes = this.#blobs.get(digest);
    return bytes === undefined ? Promise.reject(noBlob(digest)) : Promise.resolve(bytes);
  }

  delete(digest: string): Promise<void> {
    this.#blobs.delete(digest);
    return Promise.resolve();
  }

  list(): Promise<string[]> {
    return Promise.resolve([...this.#blobs.keys()]);
  }
}
