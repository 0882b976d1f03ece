import { type CancelTimer, ShoalError } from '@shoal/core';
import { readFileSync } from 'node:fs';
import { type NatsConnection, connect, credsAuthenticator } from '@nats-io/transport-node';
import { type NatsBusOptions, type NatsTls, type Settings, limited, textOf } from './settings';

const connectTimeoutMs = 2_000;
/** A server that says nothing for twice as long is given up. */
const pingMs = 2_000;

/**
 * One connection after the other for as long as the bus lives. The client's own reconnecting is off on purpose: what it is
 * given while it is not connected it loses without a word, so that every new connection has to begin anew anyway; and
 * its wait for a first connection cannot be ended.
 */
export class Connection {
  readonly #settings: Settings;
  readonly #options: ReturnType<typeof connectionOptions>;
  readonly #up: (nc: NatsConnection) => void;
  readonly #down: () => void;
  readonly #complain: (text: string) => void;
  #current: NatsConnection | undefined;
  #ever = false;
  #closed = false;
  #cancelRetry: CancelTimer = () => undefined;
  #dialling: Promise<void> = Promise.resolve();

  /** `up` is called with each new connection, `down` when that one ended. */
  constructor(options: NatsBusOptions, settings: Settings, up: (nc: NatsConnection) => void, down: () => void) {
    this.#settings = settings;
    this.#options = connectionOptions(options);
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
    this.#dialling = connect(this.#options).then(
      (nc) => this.#connected(nc),
      (thrown: unknown) => {
        this.#complain(textOf(thrown));
        this.#later();
      },
    );
  }

  #later(): void {
    if (this.#closed) return;
    this.#cancelRetry = this.#settings.clock.schedule(100 + this.#settings.random.next() * 400, () => this.#dial());
  }

  #connected(nc: NatsConnection): Promise<void> | void {
    if (this.#closed) return nc.close();
    this.#current = nc;
    this.#settings.log.info(this.#ever ? 'connected to NATS again' : 'connected to NATS', {
      version: nc.info?.version ?? '',
    });
    this.#ever = true;
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

/** @throws ShoalError INVALID_ARGUMENT for an URL that is none. */
function connectionOptions({ url, name, tls, credsFile }: NatsBusOptions) {
  const urls = url.split(',').map((text) => parse(text.trim()));
  const user = decodeURIComponent(urls[0]!.username);
  const pass = decodeURIComponent(urls[0]!.password);
  const secure = tls !== undefined || urls.some(({ protocol }) => protocol === 'tls:');
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? '4222' : port}`),
    name,
    reconnect: false,
    ignoreAuthErrorAbort: true,
    timeout: connectTimeoutMs,
    pingInterval: pingMs,
    maxPingOut: 2,
    ...(user !== '' && (pass === '' ? { token: user } : { user, pass })),
    ...(credsFile !== undefined && { authenticator: credsAuthenticator(() => readFileSync(credsFile)) }),
    ...(secure && { tls: files(tls ?? {}) }),
  };
}

function files({ caFile, certFile, keyFile }: NatsTls) {
  return { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
}

function parse(text: string): URL {
  const full = text.includes('://') ? text : `nats://${text}`;
  if (!URL.canParse(full) || !/^(?:nats|tls):\/\/./.test(full) || new URL(full).hostname === '') {
    // Not the text itself: it may hold a password.
    throw new ShoalError('INVALID_ARGUMENT', 'the NATS URL must be nats://HOST:PORT or tls://HOST:PORT');
  }
  return new URL(full);
}
