/** What stands under a key, and which writing of it that was. Revisions are for comparing with `===`: a store that was lost counts anew. */
export interface StateEntry<T> {
  readonly value: T;
  readonly revision: number;
}

/**
 * What people asked for: kept until it is changed, whoever wrote it and whether or not they live. Values are small plain JSON
 * and must not be mutated.
 */
export interface StateStore {
  /** @throws ShoalError UNAVAILABLE when the store cannot be reached; INVALID_ARGUMENT for a key beyond `maxKeyBytes`, as all do. */
  get<T extends object>(key: string): Promise<StateEntry<T> | undefined>;
  /**
   * Resolves with the new revision. With `expected` only over that revision; 0 = must not exist.
   * @throws ShoalError ABORTED when another was faster; UNAVAILABLE when the store cannot be reached.
   */
  put<T extends object>(key: string, value: T, expected?: number): Promise<number>;
  /** What does not exist is deleted without a word, unless `expected` is given. @throws ShoalError as `put`. */
  delete(key: string, expected?: number): Promise<void>;
  /**
   * Tells of every entry under `prefix`: first those that stand, then each change (`undefined` = deleted). What is known stays
   * known while the store is away, and a store that comes back empty is given it again: only a delete ends an entry.
   */
  watch<T extends object>(
    prefix: string,
    listener: (key: string, entry: StateEntry<T> | undefined) => void,
  ): () => void;
}

/** Files, named by their SHA-256 (hex): what a load call brings along. All throw ShoalError UNAVAILABLE when the store cannot be reached. */
export interface BlobStore {
  /** Resolves with the digest when it is stored. @throws ShoalError RESOURCE_EXHAUSTED beyond `maxBlobBytes`. */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws ShoalError NOT_FOUND; DATA_LOSS when what is stored is not what the digest says. */
  get(digest: string): Promise<Buffer>;
  /** What is not there is deleted without a word. */
  delete(digest: string): Promise<void>;
  /** The digests of all that is stored. */
  list(): Promise<string[]>;
}

/** No key is longer, in UTF-8: each byte may take three in a NATS subject, which has at most 4096 with all around it. */
export const maxKeyBytes = 512;

/** No file is larger. */
export const maxBlobBytes = 2 ** 31;
