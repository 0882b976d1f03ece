import { type Bus, type RunnerAnnouncement, runnersPrefix } from '@shoal/bus';
import type { CancelTimer, Clock } from '@shoal/core';
import type { Done, Hello, Link, LinkTransport, Ready } from '@shoal/link';
import type { Logger } from '@shoal/telemetry';

/** What is heard from runners. Every `lost` follows a `ready` of the same runner. */
export interface RunnerEvents {
  ready(link: Link, message: Ready, announced: RunnerAnnouncement): void;
  done(runner: string, message: Done): void;
  retireRunner(runner: string): void;
  lost(runner: string): void;
}

/** Where runners are announced, and how they are reached. */
export interface RunnerLinksDeps {
  readonly bus: Bus;
  readonly transport: LinkTransport;
  readonly clock: Clock;
  readonly logger: Logger;
}

const connectTimeoutMs = 5_000;
const firstRetryMs = 50;
const lastRetryMs = 5_000;

/** Keeps a link to every runner that is announced, for as long as it is. */
export class RunnerLinks {
  readonly #bus: Bus;
  readonly #transport: LinkTransport;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #self: Hello;
  readonly #events: RunnerEvents;
  readonly #wanted = new Map<string, WantedRunner>();
  /** Also to runners that are announced no more: they finish what they have. */
  readonly #open = new Set<Link>();
  readonly #unwatch: () => void;

  constructor(deps: RunnerLinksDeps, self: Hello, events: RunnerEvents) {
    this.#bus = deps.bus;
    this.#transport = deps.transport;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#self = self;
    this.#events = events;
    this.#unwatch = deps.bus.watch<RunnerAnnouncement>(runnersPrefix, (key, runner) => this.#announced(key, runner));
  }

  /** How many links there are, and how many runners none has been opened to yet. */
  count(): { readonly open: number; readonly connecting: number } {
    const connecting = [...this.#wanted.values()].filter(({ open }) => !open).length;
    return { open: this.#open.size, connecting };
  }

  /** Ends all links; none is opened any more. */
  async close(): Promise<void> {
    this.#unwatch();
    for (const key of [...this.#wanted.keys()]) this.#forget(key);
    await Promise.all([...this.#open].map((link) => link.close()));
  }

  #announced(key: string, runner: RunnerAnnouncement | undefined): void {
    if (this.#wanted.get(key)?.address === runner?.address) return;
    // A link that is open stays: its end, not the bus, tells that the runner is gone.
    this.#forget(key);
    if (runner === undefined) return;
    const wanted = new WantedRunner(key, runner);
    this.#wanted.set(key, wanted);
    void this.#connect(wanted, firstRetryMs);
  }

  #forget(key: string): void {
    const wanted = this.#wanted.get(key);
    if (wanted === undefined) return;
    this.#wanted.delete(key);
    wanted.end();
  }

  async #connect(wanted: WantedRunner, retryMs: number): Promise<void> {
    const { signal } = wanted.abort;
    try {
      const link = await this.#transport.connect(wanted.address, this.#self, { timeoutMs: connectTimeoutMs, signal });
      if (signal.aborted) await link.close();
      else this.#opened(wanted, link);
    } catch (thrown) {
      if (signal.aborted) return;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#logger.verbose(1, 'cannot reach a runner yet', { runner: wanted.id, reason });
      this.#retry(wanted, retryMs);
    }
  }

  #retry(wanted: WantedRunner, delayMs: number): void {
    wanted.cancelRetry = this.#clock.schedule(delayMs, () => {
      void this.#connect(wanted, Math.min(2 * delayMs, lastRetryMs));
    });
  }

  #opened(wanted: WantedRunner, link: Link): void {
    this.#open.add(link);
    wanted.open = true;
    // A worker that is cut off from NATS still has its runners.
    const endVouch = this.#bus.vouch(wanted.key);
    let ready: string | undefined;
    link.onMessage((message) => {
      if (message.kind === 'ready' && ready === undefined) {
        ready = message.runner;
        this.#events.ready(link, message, wanted.announced);
      } else if (ready === undefined) return;
      else if (message.kind === 'done') this.#events.done(ready, message);
      else if (message.kind === 'retire') this.#events.retireRunner(ready);
    });
    link.onClose(() => {
      endVouch();
      this.#open.delete(link);
      wanted.open = false;
      if (ready !== undefined) this.#events.lost(ready);
      if (!wanted.abort.signal.aborted) this.#retry(wanted, firstRetryMs);
    });
  }
}

class WantedRunner {
  /** What it is announced under. */
  readonly key: string;
  readonly announced: RunnerAnnouncement;
  readonly abort = new AbortController();
  cancelRetry: CancelTimer | undefined;
  open = false;

  constructor(key: string, announced: RunnerAnnouncement) {
    this.key = key;
    this.announced = announced;
  }

  get id(): string {
    return this.announced.id;
  }

  get address(): string {
    return this.announced.address;
  }

  /** Opens no link any more. */
  end(): void {
    this.abort.abort();
    this.cancelRetry?.();
  }
}
