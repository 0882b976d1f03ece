import {
  type Bus,
  type CallOptions,
  type ModelFileAnswer,
  type ModelFileCall,
  type VersionAnnouncement,
  instanceSubject,
  modelFileSubject,
} from '@shoal/bus';
import { ShoalError } from '@shoal/core';

/** A larger file is no model that can be looked into in good time. */
export const maxModelBytes = 256 * 1024 ** 2;
/** Of all files that are kept at hand. */
const maxCachedBytes = 512 * 1024 ** 2;
const timeoutMs = 30_000;

/** The files of models, as their workers have them; those used last are kept. */
export class ModelFiles {
  readonly #bus: Bus;
  /** By generation, the one used last at the end. */
  readonly #cache = new Map<string, Buffer>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @throws ShoalError ABORTED when it serves no more; FAILED_PRECONDITION; UNAVAILABLE without worker or store */
  async get(
    { model, version, generation, worker }: VersionAnnouncement,
    maxBytes = maxModelBytes,
    trace?: CallOptions['trace'],
  ): Promise<Buffer> {
    const key = `${model}/${version}@${generation}`;
    const bytes = this.#cache.get(key) ?? (await this.#fetch({ model, version, generation, maxBytes }, worker, trace));
    this.#cache.delete(key);
    this.#cache.set(key, bytes);
    let sum = 0;
    for (const one of this.#cache.values()) sum += one.length;
    for (const [oldest, one] of this.#cache) {
      if (sum <= maxCachedBytes) break;
      this.#cache.delete(oldest);
      sum -= one.length;
    }
    return bytes;
  }

  async #fetch(call: ModelFileCall, worker: string | undefined, trace: CallOptions['trace']): Promise<Buffer> {
    if (worker === undefined)
      throw new ShoalError('UNAVAILABLE', 'the model’s file cannot be had: nobody says who has it');
    const subject = instanceSubject(modelFileSubject, worker);
    const { digest } = await this.#bus.call<ModelFileCall, ModelFileAnswer>(subject, call, { timeoutMs, trace });
    return this.#bus.blobs.get(digest);
  }
}
