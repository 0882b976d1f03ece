import { ShoalError, sleep } from '@shoal/core';
import { StorageType } from '@nats-io/jetstream';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { LocalValues } from '../local-values';
import type { StateEntry, StateStore } from '../state';
import { checkKey, overtaken } from '../state-errors';
import { decodeToken, encodeToken } from './names';
import { fromBytes, toBytes } from './payload';
import { type Settings, limited, textOf } from './settings';
import { isOvertaken, storeAway } from './store-errors';

const retryMs = 300;
/** How often the stream is asked whether the watch has told all of it. */
const checkMs = 5_000;
const timeoutMs = 5_000;
/** What a server carries in one message, by default, less its head. */
const maxValueBytes = 1024 * 1024 - 4096;

/**
 * The state of a cluster: a KV bucket on disk. What was seen of it is kept while it is away. Deleted keys leave a mark in it for
 * good, so a key of which it says nothing at all was lost with it (a fresh server in place of the old one), and is written again.
 */
export class NatsState implements StateStore {
  readonly #settings: Settings;
  readonly #replicas: number;
  readonly #entries = new Map<string, StateEntry<object>>();
  readonly #shown: LocalValues;
  readonly #complain: (text: string) => void;
  #kv: KV | undefined;
  /** Which stream the revisions are of. */
  #created = '';

  constructor(settings: Settings, replicas: number, onError: (thrown: unknown) => void) {
    this.#settings = settings;
    this.#replicas = replicas;
    this.#shown = new LocalValues(onError);
    this.#complain = limited(settings.clock, (problem) =>
      settings.log.warn('the state in JetStream cannot be followed; trying again', { problem }),
    );
  }

  async get<T extends object>(key: string): Promise<StateEntry<T> | undefined> {
    const entry = await this.#do(key, (kv) => kv.get(encodeToken(key)));
    if (entry === null || entry.operation !== 'PUT') return undefined;
    return { value: fromBytes(entry.value) as T, revision: entry.revision };
  }

  put<T extends object>(key: string, value: T, expected?: number): Promise<number> {
    const token = encodeToken(key);
    return this.#write(key, (kv) => {
      const bytes = toBytes(key, value, maxValueBytes);
      if (expected === undefined) return kv.put(token, bytes, { timeout: timeoutMs });
      return expected === 0 ? kv.create(token, bytes) : kv.update(token, bytes, expected, timeoutMs);
    });
  }

  async delete(key: string, expected?: number): Promise<void> {
    const standing = await this.get(key);
    if (expected !== undefined && expected !== (standing?.revision ?? 0)) throw overtaken(key);
    if (standing === undefined) return;
    await this.#write(key, (kv) =>
      kv.delete(encodeToken(key), expected === undefined ? {} : { previousSeq: expected }),
    );
  }

  watch<T extends object>(
    prefix: string,
    listener: (key: string, entry: StateEntry<T> | undefined) => void,
  ): () => void {
    return this.#shown.watch(prefix, listener as (key: string, value: object | undefined) => void);
  }

  /** Follows the bucket over one connection until `signal`; `complete` is told when all that stood is known. */
  async follow(nc: NatsConnection, complete: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const kv = await new Kvm(nc).create(`${this.#settings.prefix}-state`, {
          storage: StorageType.File,
          history: 1,
          replicas: this.#replicas,
          timeout: 2_000,
        });
        this.#kv = kv;
        await this.#watch(kv, complete, signal);
      } catch (thrown) {
        if (!signal.aborted) this.#complain(textOf(thrown));
      }
      await sleep(this.#settings.clock, retryMs, signal).catch(() => undefined);
    }
  }

  down(): void {
    this.#kv = undefined;
  }

  close(): void {
    this.down();
    this.#shown.close();
  }

  /** @throws Error when the watch ends, or does not tell what the stream holds. */
  async #watch(kv: KV, complete: () => void, signal: AbortSignal): Promise<void> {
    const { created, state } = (await kv.status()).streamInfo;
    const isSame = created === this.#created;
    this.#created = created;
    const watch = await kv.watch();
    const stop = () => watch.stop();
    signal.addEventListener('abort', stop, { once: true });
    const ended = new AbortController();
    const told = new Set<string>();
    let seen = 0;
    let isComplete = false;
    const check = () => {
      if (isComplete || (seen < state.last_seq && state.messages > 0)) return;
      isComplete = true;
      void this.#restore(kv, told);
      complete();
    };
    const checking = (async () => {
      for (let behind = 0; ;) {
        await sleep(this.#settings.clock, checkMs, ended.signal);
        const before = seen;
        const now = (await kv.status()).streamInfo;
        behind = now.state.messages > 0 && before < now.state.last_seq ? behind + 1 : 0;
        if (now.created !== created || behind === 2) return;
      }
    })().catch(() => undefined);
    void checking.then(stop);
    try {
      check();
      for await (const entry of watch) {
        // Who is told of afterwards is of no account to what was lost.
        if (!isComplete) told.add(entry.key);
        seen = Math.max(seen, entry.revision);
        if (!isSame || this.#revisionOf(entry.key) !== entry.revision) this.#arrived(entry);
        check();
      }
    } finally {
      ended.abort(new Error('ended'));
      watch.stop();
      signal.removeEventListener('abort', stop);
      await checking;
    }
    if (!signal.aborted) throw new Error('the watch of the state broke off');
  }

  #revisionOf(token: string): number | undefined {
    return this.#entries.get(decodeToken(token) ?? '')?.revision;
  }

  #arrived(entry: KvEntry): void {
    const key = decodeToken(entry.key);
    if (key === undefined) return;
    if (entry.operation !== 'PUT') {
      this.#entries.delete(key);
      this.#shown.set(key, undefined);
      return;
    }
    try {
      const standing = { value: fromBytes(entry.value) as object, revision: entry.revision };
      this.#entries.set(key, standing);
      this.#shown.set(key, standing);
    } catch (thrown) {
      this.#complain(`${key}: ${textOf(thrown)}`);
    }
  }

  /** Writes what the bucket has lost; that others do so too, or write something newer, is as well. */
  async #restore(kv: KV, told: ReadonlySet<string>): Promise<void> {
    for (const [key, { value }] of [...this.#entries]) {
      const token = encodeToken(key);
      if (told.has(token)) continue;
      try {
        await kv.create(token, toBytes(key, value, maxValueBytes));
        this.#settings.log.warn('the state in JetStream was lost; it is written again', { key });
      } catch (thrown) {
        if (!isOvertaken(thrown)) this.#complain(textOf(thrown));
      }
    }
  }

  async #write<R>(key: string, action: (kv: KV) => Promise<R>): Promise<R> {
    try {
      return await this.#do(key, action);
    } catch (thrown) {
      throw thrown instanceof ShoalError && isOvertaken(thrown.cause) ? overtaken(key) : thrown;
    }
  }

  async #do<R>(key: string, action: (kv: KV) => Promise<R>): Promise<R> {
    checkKey(key);
    const kv = this.#kv;
    if (kv === undefined) throw storeAway();
    try {
      return await action(kv);
    } catch (thrown) {
      throw thrown instanceof ShoalError ? thrown : storeAway(thrown);
    }
  }
}
