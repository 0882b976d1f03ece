import type { Bus } from '@shoal/bus';
import type { CancelTimer, Clock, Random } from '@shoal/core';
import { type Hello, type Link, type LinkMessage, type LinkTransport, releaseMessage } from '@shoal/link';
import type { Logger } from '@shoal/telemetry';
import type { LinkCount } from '../metrics/router-metrics';

/** What an instance announces so that it can be reached. */
interface Reachable {
  readonly id: string;
  readonly address: string;
}

/** What is heard of the instances. */
export interface LinkSetEvents {
  opened(id: string): void;
  message(id: string, message: LinkMessage): void;
  /** Follows each `opened`. */
  closed(id: string): void;
}

export interface LinkSetDeps {
  readonly bus: Bus;
  readonly transport: LinkTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly self: Hello;
}

const connectTimeoutMs = 5_000;
const firstRetryMs = 20;
const lastRetryMs = 5_000;
/** How long the link to an instance that is announced no more stays: it finishes what it has, then ends the link itself. */
const lingerMs = 60_000;

/** Keeps one link open to every instance that is announced under a bus prefix. */
export class LinkSet {
  readonly #deps: LinkSetDeps;
  readonly #events: LinkSetEvents;
  readonly #prefix: string;
  readonly #peers = new Map<string, Peer>();
  /** Announced no more; their links are still open. */
  readonly #leaving = new Map<string, Peer>();
  readonly #unwatch: () => void;

  constructor(deps: LinkSetDeps, prefix: string, events: LinkSetEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#prefix = prefix;
    this.#unwatch = deps.bus.watch<Reachable>(prefix, (key, value) => this.#announced(key.slice(prefix.length), value));
  }

  /** The open link to an instance, also to one that is leaving. */
  get(id: string): Link | undefined {
    return this.#peers.get(id)?.link ?? this.#leaving.get(id)?.link;
  }

  /** All that are announced and connected: one that died stays announced for a while, and takes nothing. */
  *reachable(): Iterable<string> {
    for (const [id, peer] of this.#peers) if (peer.link) yield id;
  }

  /** How many links there are, and how many instances are announced and not reached. */
  count(): LinkCount {
    let open = this.#leaving.size;
    for (const { link } of this.#peers.values()) if (link) open += 1;
    return { open, connecting: this.#peers.size + this.#leaving.size - open };
  }

  /** Follows announcements no more and ends all links, flushing what was queued; no event comes after. */
  async close(): Promise<void> {
    this.#unwatch();
    const peers = [...this.#peers.values(), ...this.#leaving.values()];
    this.#peers.clear();
    this.#leaving.clear();
    await Promise.all(peers.map((peer) => peer.end()));
  }

  #announced(id: string, value: Reachable | undefined): void {
    const known = this.#peers.get(id);
    if (known && known.address === value?.address) return;
    if (known) this.#leave(id, known);
    if (!value) return;
    const peer = new Peer(value.address);
    this.#peers.set(id, peer);
    void this.#connect(id, peer, firstRetryMs);
  }

  #leave(id: string, peer: Peer): void {
    this.#peers.delete(id);
    if (!peer.link) {
      void peer.end();
      return;
    }
    this.#leaving.set(id, peer);
    peer.cancelTimer?.();
    peer.cancelTimer = this.#deps.clock.schedule(lingerMs, () => this.#lose(id, peer));
  }

  async #connect(id: string, peer: Peer, retryMs: number): Promise<void> {
    const { transport, logger, self } = this.#deps;
    const { signal } = peer.abort;
    let link: Link;
    try {
      link = await transport.connect(peer.address, self, { timeoutMs: connectTimeoutMs, signal });
    } catch (thrown) {
      if (signal.aborted) return;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      logger.verbose(1, 'cannot reach an instance yet', { instance: id, reason });
      this.#retry(id, peer, retryMs);
      return;
    }
    if (signal.aborted) {
      await link.close();
      return;
    }
    peer.link = link;
    // Whoever is cut off from NATS is still here.
    const endVouch = this.#deps.bus.vouch(this.#prefix + id);
    link.onMessage((message) => {
      if (peer.link === link) this.#events.message(id, message);
      else releaseMessage(message);
    });
    link.onClose(() => {
      endVouch();
      if (peer.link !== link) return;
      this.#lose(id, peer);
      this.#retry(id, peer, firstRetryMs);
    });
    this.#events.opened(id);
  }

  #lose(id: string, peer: Peer): void {
    const wasOpen = peer.link !== undefined;
    const left = this.#leaving.get(id) === peer;
    if (left) this.#leaving.delete(id);
    if (left) void peer.end();
    peer.link = undefined;
    if (wasOpen) this.#events.closed(id);
  }

  /** Tries again after `delayMs`, give or take a quarter: routers that lost the same instance must not return at once. */
  #retry(id: string, peer: Peer, delayMs: number): void {
    if (peer.abort.signal.aborted) return;
    const jitter = 0.75 + this.#deps.random.next() / 2;
    peer.cancelTimer = this.#deps.clock.schedule(delayMs * jitter, () => {
      void this.#connect(id, peer, Math.min(2 * delayMs, lastRetryMs));
    });
  }
}

class Peer {
  readonly address: string;
  readonly abort = new AbortController();
  link: Link | undefined;
  /** Of the next attempt, or of the end of leaving. */
  cancelTimer: CancelTimer | undefined;

  constructor(address: string) {
    this.address = address;
  }

  /** Ends the link, if there is one, and opens none any more. */
  async end(): Promise<void> {
    this.abort.abort();
    this.cancelTimer?.();
    const { link } = this;
    this.link = undefined;
    await link?.close();
  }
}
