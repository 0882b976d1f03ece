import { type Clock, ShoalError } from '@shoal/core';
import { type Http2Limits, MemoryBudget } from '@shoal/http2';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { defaultMaxMessageBytes, farewellMs } from '../../defaults';
import type { Handlers, RpcServer, ServerSettings, ServiceOptions, TlsOptions } from '../../server';
import type { Renewable } from '../../tls/renewable';
import type { Deflation } from '../wire/compression';
import { Deadlines } from '../wire/deadlines';
import { MessagePool } from '../wire/message-pool';
import type { MessageRoom } from '../wire/message-reader';
import { PartialMessages } from '../wire/partial-messages';
import { quarterOfMemory } from '../wire/quarter-of-memory';
import type { AcceptedConnection, ConnectionHost } from './accepted-connection';
import { deflation } from './answer';
import { CallList } from './call-list';
import { Listener } from './listener';
import { OutputGuard } from './output-guard';
import { RouteTable } from './route';
import type { ServerCall } from './server-call';
import { limitsOf } from './settings';

/** A gRPC server on our own HTTP/2. */
export class NativeServer implements RpcServer, ConnectionHost {
  readonly clock: Clock;
  readonly routes: RouteTable;
  readonly limits: Partial<Http2Limits>;
  readonly held: MemoryBudget;
  readonly room: MessageRoom;
  readonly deadlines: Deadlines;
  readonly calls = new CallList<ServerCall>();
  readonly compression: Deflation | null;
  readonly #onError: ServerSettings['onError'];
  readonly #listeners: Listener[] = [];
  readonly #connections = new Set<AcceptedConnection>();
  readonly #outputGuard: OutputGuard;
  #drained: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  constructor(settings: ServerSettings) {
    this.clock = settings.clock;
    this.#onError = settings.onError;
    this.limits = limitsOf(settings);
    this.compression = deflation(settings.responseCompression ?? 'none');
    this.routes = new RouteTable(settings.maxMessageBytes ?? defaultMaxMessageBytes, settings.meterOf);
    this.deadlines = new Deadlines(settings.clock);
    const maxPartialBytes = settings.maxPartialBytes ?? quarterOfMemory();
    // Apart, so that calls that are paused do not stand in the way of messages that come in.
    this.held = new MemoryBudget(maxPartialBytes);
    const memory = new MemoryBudget(maxPartialBytes);
    this.#outputGuard = new OutputGuard(
      settings.clock,
      settings.maxWaitingBytes ?? quarterOfMemory(),
      this.#connections,
    );
    this.room = { memory, pool: new MessagePool(), partials: new PartialMessages(settings.clock, memory) };
  }

  get draining(): boolean {
    return this.#drained !== undefined;
  }

  /** Bytes of answers that wait for their clients. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.waitingBytes;
    return bytes;
  }

  addService(definition: ServiceDefinition, handlers: Handlers, options?: ServiceOptions): void {
    this.routes.add(definition, handlers, options);
  }

  async listen(address: string, tls?: TlsOptions | Renewable<TlsOptions>): Promise<number> {
    const listener = await Listener.open(address, tls, this);
    if (this.draining) {
      await listener.close();
      throw new ShoalError('UNAVAILABLE', 'the server is shutting down');
    }
    this.#listeners.push(listener);
    return listener.port;
  }

  drain(graceMs: number): Promise<void> {
    return (this.#drained ??= this.#drain(graceMs));
  }

  // ---- ConnectionHost

  report(thrown: unknown, path: string): void {
    this.#onError?.(thrown, path);
  }

  opened(connection: AcceptedConnection): void {
    this.#connections.add(connection);
    this.#outputGuard.start();
  }

  closed(connection: AcceptedConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#outputGuard.stop();
    this.#emptied?.();
  }

  /** GOAWAY to all clients; then the running calls have their grace, and a moment to hear that it is over. */
  async #drain(graceMs: number): Promise<void> {
    const closed = this.#listeners.map((listener) => listener.close());
    const emptied = new Promise<void>((resolve) => (this.#emptied = resolve));
    if (this.#connections.size === 0) this.#emptied?.();
    for (const connection of [...this.#connections]) connection.drain();
    let cancelForce: (() => void) | undefined;
    const cancelGrace = this.clock.schedule(graceMs, () => {
      const over = new ShoalError('UNAVAILABLE', 'the server is shutting down');
      for (const call of this.calls.toArray()) call.abandon(over);
      cancelForce = this.clock.schedule(farewellMs, () => {
        for (const connection of [...this.#connections]) connection.destroy();
      });
    });
    await Promise.all([emptied, ...closed]);
    cancelGrace();
    cancelForce?.();
    this.deadlines.stop();
  }
}
