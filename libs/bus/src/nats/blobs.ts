import { ShoalError } from '@shoal/core';
import { StorageType } from '@nats-io/jetstream';
import { type ObjectStore, Objm } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BlobStore } from '../state';
import { digestOf, noBlob } from '../state-errors';
import type { Settings } from './settings';
import { storeAway } from './store-errors';

/** The files of a cluster: an object store on disk, made when the first is put. */
export class NatsBlobs implements BlobStore {
  readonly #settings: Settings;
  readonly #replicas: number;
  #nc: NatsConnection | undefined;
  #store: Promise<ObjectStore> | undefined;

  constructor(settings: Settings, replicas: number) {
    this.#settings = settings;
    this.#replicas = replicas;
  }

  up(nc: NatsConnection): void {
    this.#nc = nc;
    this.#store = undefined;
  }

  down(): void {
    this.#nc = undefined;
    this.#store = undefined;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const name = digestOf(bytes);
    await this.#do(async (store) => {
      const standing = await store.info(name);
      if (standing === null || standing.deleted || standing.size !== bytes.length) await store.putBlob({ name }, bytes);
    });
    return name;
  }

  async get(digest: string): Promise<Buffer> {
    const bytes = await this.#do((store) => store.getBlob(digest));
    if (bytes === null) throw noBlob(digest);
    if (digestOf(bytes) !== digest)
      throw new ShoalError('DATA_LOSS', `the file stored as ${digest.slice(0, 12)}… is not what was uploaded`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async delete(digest: string): Promise<void> {
    await this.#do(async (store) => {
      const standing = await store.info(digest);
      if (standing !== null && !standing.deleted) await store.delete(digest);
    });
  }

  async list(): Promise<string[]> {
    const objects = await this.#do((store) => store.list());
    return objects.filter(({ deleted }) => !deleted).map(({ name }) => name);
  }

  async #do<R>(action: (store: ObjectStore) => Promise<R>): Promise<R> {
    const nc = this.#nc;
    if (nc === undefined) throw storeAway();
    try {
      this.#store ??= new Objm(nc).create(`${this.#settings.prefix}-blobs`, {
        storage: StorageType.File,
        replicas: this.#replicas,
      });
      return await action(await this.#store);
    } catch (thrown) {
      this.#store = undefined;
      throw thrown instanceof ShoalError ? thrown : storeAway(thrown);
    }
  }
}
