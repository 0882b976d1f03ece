import type { CancelTimer } from '@shoal/core';
import { type NatsConnection, type NodeConnectionOptions, connect } from '@nats-io/transport-node';
import type { BusHealth } from '../bus';
import { connectTimeoutMs, connectionOptions } from './connection-options';
import { connectProblem } from './connect-problem';
import { type NatsBusOptions, type Settings, limited } from './settings';

/**
 * One connection after the other for as long as the bus lives. The client's own reconnecting is off on purpose: what it is
 * given while it is not connected it loses without a word, so that every new connection has to begin anew anyway; and
 * its wait for a first connection cannot be ended.
 */
export class Connection {
  readonly #settings: Settings;
  readonly #servers: readonly NodeConnectionOptions[];
  readonly #up: (nc: NatsConnection) => void;
  readonly #down: () => void;
  readonly #complain: (text: string) => void;
  #current: NatsConnection | undefined;
  #made = 0;
  #closed = false;
  #cancelRetry: CancelTimer = () => undefined;
  #dialling: Promise<void> = Promise.resolve();

  /** `up` is called with each new connection, `down` when that one ended. */
  constructor(options: NatsBusOptions, settings: Settings, up: (nc: NatsConnection) => void, down: () => void) {
    this.#settings = settings;
    this.#servers = connectionOptions(options);
    this.#up = up;
    this.#down = down;
    this.#complain = limited(settings.clock, (problem, left) =>
      settings.log.warn('NATS cannot be reached; going on with what is known, and trying again', {
        problem,
        ...(left > 0 && { triesNotLogged: left }),
      }),
    );
    this.#dial();
  }

  /** The live connection; undefined while there is none. */
  get current(): NatsConnection | undefined {
    return this.#current;
  }

  get health(): BusHealth {
    return { connected: this.#current !== undefined, reconnects: Math.max(0, this.#made - 1) };
  }

  /** Sends what is to be sent, then ends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    const nc = this.#current;
    this.#current = undefined;
    await this.#dialling;
    if (nc === undefined) return;
    const cancel = this.#settings.clock.schedule(connectTimeoutMs, () => void nc.close());
    // A drain that the connection does not survive never ends.
    await Promise.race([nc.drain().catch(() => nc.close()), nc.closed()]);
    cancel();
  }

  #dial(): void {
    this.#dialling = this.#reach().then(
      (nc) => this.#connected(nc),
      (thrown: unknown) => {
        this.#complain(connectProblem(thrown, this.#servers[0]?.tls !== undefined));
        this.#later();
      },
    );
  }

  /** Tries each server once, beginning anywhere, so that many services spread over them. */
  async #reach(): Promise<NatsConnection> {
    const first = Math.floor(this.#settings.random.next() * this.#servers.length);
    let problem: unknown;
    for (const [i] of this.#servers.entries()) {
      if (this.#closed) break;
      try {
        return await connect(this.#servers[(first + i) % this.#servers.length]);
      } catch (thrown) {
        problem = thrown;
      }
    }
    throw problem;
  }

  #later(): void {
    if (this.#closed) return;
    this.#cancelRetry = this.#settings.clock.schedule(100 + this.#settings.random.next() * 400, () => this.#dial());
  }

  #connected(nc: NatsConnection): Promise<void> | void {
    if (this.#closed) return nc.close();
    this.#current = nc;
    this.#settings.log.info(this.#made > 0 ? 'connected to NATS again' : 'connected to NATS', {
      version: nc.info?.version ?? '',
    });
    this.#made += 1;
    void this.#watchEnd(nc);
    this.#up(nc);
  }

  async #watchEnd(nc: NatsConnection): Promise<void> {
    const problem = await nc.closed();
    if (this.#current !== nc) return;
    this.#current = undefined;
    this.#complain(problem instanceof Error ? problem.message : 'the connection ended');
    this.#down();
    this.#later();
  }
}
