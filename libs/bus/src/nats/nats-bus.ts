import { type CancelTimer, ShoalError, sleep } from '@shoal/core';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Bus, BusHealth, CallOptions } from '../bus';
import { NatsBlobs } from './blobs';
import { followBucket } from './bucket';
import { CallSpans } from './call-spans';
import { Calls } from './calls';
import { Connection } from './connection';
import { newOwner } from './names';
import { Presence, beatMs } from './presence';
import { Served } from './served';
import type { NatsBusOptions, Settings } from './settings';
import { NatsState } from './state';
import { Values } from './values';

/** How long a start waits for what the others have announced; without NATS it goes on without. */
const startMs = 3_000;
/** How long of that for a sign of life of everybody who has announced something: the dead give none. */
const signsMs = 500;
/** How long a closing bus waits for the calls that it serves. */
const closeMs = 2_000;

/**
 * The bus of a cluster, over NATS with JetStream. Resolves when it knows what is announced, or after a few seconds
 * without NATS: all goes on with what is known while NATS is away, and what was announced meanwhile is told when it is back.
 * Own announcements are known to own watches at once, as in the local bus.
 *
 * Announcements are entries of one KV bucket, in memory, told apart by their owner; each bus follows all of it. Whether an
 * owner lives is judged by the beats that buses send each other (`Presence`), not by the entries' age: an outage
 * of NATS withdraws nothing, a process that ends by kill -9 is gone in five seconds, and one that was stopped for a while comes back.
 * @throws ShoalError INVALID_ARGUMENT for an URL or a prefix that is none.
 */
export async function createNatsBus(options: NatsBusOptions): Promise<Bus> {
  const { clock, random, prefix = 'shoal' } = options;
  if (!/^[\w-]+$/.test(prefix))
    throw new ShoalError('INVALID_ARGUMENT', 'a prefix on NATS has letters, digits, "-" and "_"');
  const log = options.logger ?? { info: () => undefined, warn: () => undefined };
  const settings: Settings = { clock, random, log, prefix, owner: newOwner(options.name, random) };
  const bus = new NatsBus(options, settings);
  await bus.started();
  return bus;
}

/** What buses say to all: a beat each second; a newcomer's hello, which all answer at once; a goodbye. The payload is the owner. */
type Signal = 'beat' | 'here' | 'hello' | 'bye';

class NatsBus implements Bus {
  readonly #settings: Settings;
  readonly #replicas: number;
  readonly #presence: Presence;
  readonly #values: Values;
  readonly #calls: Calls;
  readonly state: NatsState;
  readonly blobs: NatsBlobs;
  readonly joined: Promise<void>;
  readonly #served: Served;
  readonly #connection: Connection;
  #session = new AbortController();
  #following: Promise<unknown> = Promise.resolve();
  #cancelBeat: CancelTimer = () => undefined;
  #complete: () => void = () => undefined;
  #stateComplete: () => void = () => undefined;
  readonly #known: Promise<unknown>;
  #closing: Promise<void> | undefined;

  constructor(options: NatsBusOptions, settings: Settings) {
    this.#settings = settings;
    this.#replicas = options.replicas ?? 1;
    this.#known = Promise.all([
      new Promise<void>((resolve) => (this.#complete = resolve)),
      new Promise<void>((resolve) => (this.#stateComplete = resolve)),
    ]);
    this.joined = this.#known.then(() => undefined);
    this.#presence = new Presence(settings.owner, (owner, lives) => {
      this.#values.claims.changed(owner);
      if (!lives) this.#calls.gone(owner);
    });
    const warn = (thrown: unknown) => process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
    this.#values = new Values(settings, this.#presence, options.onError ?? warn);
    this.state = new NatsState(settings, this.#replicas, options.onError ?? warn);
    this.blobs = new NatsBlobs(settings, this.#replicas);
    const spans = options.tracing && new CallSpans(options.tracing, settings.clock);
    this.#calls = new Calls(settings, spans);
    this.#served = new Served(settings, spans);
    this.#connection = new Connection(
      options,
      settings,
      (nc) => this.#up(nc),
      () => this.#down(),
    );
  }

  /** Resolves when the announcements of all who live are known, or it has waited long enough. */
  async started(): Promise<void> {
    const { clock } = this.#settings;
    const enough = new AbortController();
    await Promise.race([this.#known, sleep(clock, startMs, enough.signal).catch(() => undefined)]);
    enough.abort();
    if (this.#connection.current === undefined) return;
    const end = clock.now() + signsMs;
    while (clock.now() < end && this.#values.claims.hidden().size > 0) await sleep(clock, 10);
  }

  get health(): BusHealth {
    return this.#connection.health;
  }

  announce<T extends object>(key: string, value: T): void {
    if (!this.#closing) this.#values.announce(key, value);
  }

  withdraw(key: string): void {
    if (!this.#closing) this.#values.withdraw(key);
  }

  watch<T extends object>(prefix: string, listener: (key: string, value: T | undefined) => void): () => void {
    return this.#values.watch(prefix, listener as (key: string, value: object | undefined) => void);
  }

  vouch(key: string): () => void {
    return this.#values.vouch(key);
  }

  serve<Req, Res>(subject: string, handler: (request: Req) => Promise<Res>): () => void {
    return this.#served.serve(subject, handler as (request: unknown) => Promise<unknown>);
  }

  call<Req, Res>(subject: string, request: Req, options?: CallOptions): Promise<Res> {
    return this.#calls.call(subject, request, options) as Promise<Res>;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#values.close();
    this.state.close();
    this.blobs.down();
    this.#calls.close();
    await this.#served.close(closeMs);
    const nc = this.#connection.current;
    if (nc) this.#say(nc, 'bye');
    this.#cancelBeat();
    this.#session.abort();
    // First what follows the bucket: it uses the connection until it knows.
    await this.#connection.close();
    await this.#following;
  }

  #up(nc: NatsConnection): void {
    this.#session = new AbortController();
    this.#presence.spareAll();
    this.#hear(nc, 'beat', (owner) => {
      this.#presence.beat(owner, this.#settings.clock.now());
      if (owner === this.#settings.owner) this.#values.tick();
    });
    // Not a beat: own beats measure time.
    this.#hear(nc, 'here', (owner) => this.#presence.here(owner));
    this.#hear(nc, 'bye', (owner) => this.#presence.left(owner));
    this.#hear(nc, 'hello', () => this.#say(nc, 'here'));
    this.#calls.up(nc);
    this.blobs.up(nc);
    this.#served.up(nc);
    this.#say(nc, 'hello');
    this.#keepBeating(nc);
    const events = {
      up: (kv: Parameters<Values['announcer']['up']>[0]) => {
        this.#values.begin();
        this.#values.announcer.up(kv);
      },
      entry: (entry: Parameters<Values['arrived']>[0]) => this.#values.arrived(entry),
      complete: () => this.#complete(),
    };
    const { signal } = this.#session;
    this.#following = Promise.all([
      followBucket(nc, this.#settings, this.#replicas, events, signal),
      this.state.follow(nc, () => this.#stateComplete(), signal),
    ]);
  }

  #down(): void {
    this.#session.abort();
    this.#cancelBeat();
    this.#values.announcer.down();
    this.state.down();
    this.blobs.down();
    this.#calls.down();
    this.#served.down();
  }

  #keepBeating(nc: NatsConnection): void {
    this.#say(nc, 'beat');
    this.#cancelBeat = this.#settings.clock.schedule(beatMs, () => this.#keepBeating(nc));
  }

  #hear(nc: NatsConnection, what: Signal, listener: (owner: string) => void): void {
    nc.subscribe(`${this.#settings.prefix}.${what}`, {
      callback: (error, message) => {
        if (!error) listener(message.string());
      },
    });
  }

  #say(nc: NatsConnection, what: Signal): void {
    if (!nc.isClosed() && !nc.isDraining()) nc.publish(`${this.#settings.prefix}.${what}`, this.#settings.owner);
  }
}
