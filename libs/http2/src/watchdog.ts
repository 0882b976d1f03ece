import type { CancelTimer, Clock, Random } from '@shoal/core';
import type { Budgets } from './budgets';
import { ConnectionFault } from './errors';
import type { Output } from './frames/output';
import type { Http2Limits } from './limits';
import type { Pings } from './pings';
import type { Receiver } from './receiver';
import type { Sender } from './sender';
import type { Stream } from './stream';

/** The connection, as its watchdog sees it. */
export interface Watched {
  readonly isServer: boolean;
  readonly clock: Clock;
  readonly limits: Http2Limits;
  readonly receiver: Receiver;
  readonly output: Output;
  readonly sender: Sender;
  readonly budgets: Budgets;
  readonly pings: Pings;
  readonly isSettled: boolean;
  readonly activeStreams: number;
  heard: boolean;
  drain(): void;
  destroy(message?: string): void;
  fail(thrown: unknown): void;
  stalled(stream: Stream): void;
}

/** How often it looks. Every limit in time is kept to within this. */
const sweepMs = 1000;
/** Progress is this many octets per stall timeout, or all there are: one octet now and then is a slow-read attack. */
const leastProgress = 16_384;

/** One timer per connection: whatever takes too long is found by looking once a second. */
export class Watchdog {
  readonly #connection: Watched;
  readonly #maxAgeMs: number;
  #cancel: CancelTimer | undefined;
  readonly #born: number;
  #swept: number;
  #heardAt: number;
  #busyAt: number;
  #partialSince = 0;
  #pingSent = false;
  #pendingSince = 0;
  #takenAtPending = 0;
  #drainingSince = 0;

  constructor(connection: Watched, random: Random) {
    this.#connection = connection;
    const now = connection.clock.now();
    this.#born = now;
    this.#swept = now;
    this.#heardAt = now;
    this.#busyAt = now;
    const { maxAgeMs } = connection.limits;
    this.#maxAgeMs = maxAgeMs === 0 ? Number.POSITIVE_INFINITY : maxAgeMs * (0.9 + 0.2 * random.next());
  }

  start(): void {
    this.#cancel = this.#connection.clock.schedule(sweepMs, () => this.#sweep());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #sweep(): void {
    this.start();
    const { budgets, clock } = this.#connection;
    const now = clock.now();
    budgets.passed((now - this.#swept) / 1000);
    this.#swept = now;
    try {
      this.#handshake(now);
      this.#partialFrame(now);
      this.#socketStall(now);
      this.#streamStalls(now);
      this.#keepAlive(now);
      this.#idleness(now);
    } catch (thrown) {
      this.#connection.fail(thrown);
    }
  }

  #handshake(now: number): void {
    const { isSettled, limits } = this.#connection;
    if (!isSettled && passed(limits.handshakeTimeoutMs, this.#born, now)) {
      throw new ConnectionFault('SETTINGS_TIMEOUT', 'no settings in time');
    }
  }

  /** Slow loris: a header block or a small frame that never becomes whole. */
  #partialFrame(now: number): void {
    const { limits, receiver } = this.#connection;
    const { assembly, reader } = receiver;
    if (!reader.midFrame && assembly.openStream === 0) {
      this.#partialSince = 0;
      reader.trim();
      return;
    }
    if (this.#partialSince === 0) this.#partialSince = now;
    else if (passed(limits.frameTimeoutMs, this.#partialSince, now)) {
      throw new ConnectionFault('ENHANCE_YOUR_CALM', 'frame not whole in time');
    }
  }

  /** The peer does not take what the socket has for it: nobody is there, or it means harm. GOAWAY would not reach it. */
  #socketStall(now: number): void {
    const { limits, output } = this.#connection;
    if (output.pending === 0) {
      this.#pendingSince = 0;
      return;
    }
    if (this.#pendingSince === 0 || output.taken - this.#takenAtPending >= leastProgress) {
      this.#pendingSince = now;
      this.#takenAtPending = output.taken;
    } else if (passed(limits.stallTimeoutMs, this.#pendingSince, now)) {
      this.#connection.destroy('the peer does not read');
    }
  }

  /** The same for streams whose window stays shut. */
  #streamStalls(now: number): void {
    const { limits, sender } = this.#connection;
    for (const stream of [...sender.blocked]) {
      const { queue } = stream;
      if (queue === null) continue;
      if (queue.sentSince >= leastProgress) {
        queue.sentSince = 0;
        queue.watchedSince = now;
      } else if (passed(limits.stallTimeoutMs, queue.watchedSince, now)) {
        this.#connection.stalled(stream);
      }
    }
  }

  #keepAlive(now: number): void {
    const connection = this.#connection;
    const { limits } = connection;
    // Servers take pings of clients that want nothing for abuse (gRPC's keepalive.md).
    if (connection.heard || (!connection.isServer && connection.activeStreams === 0)) {
      connection.heard = false;
      this.#heardAt = now;
      this.#pingSent = false;
    } else if (!this.#pingSent && passed(limits.keepAliveMs, this.#heardAt, now)) {
      this.#pingSent = true;
      connection.pings.send(() => undefined);
    } else if (this.#pingSent && now - this.#heardAt - limits.keepAliveMs > limits.keepAliveTimeoutMs) {
      connection.destroy('the peer gives no sign of life');
    }
  }

  #idleness(now: number): void {
    const connection = this.#connection;
    const { limits } = connection;
    if (connection.activeStreams > 0) this.#busyAt = now;
    const tooOld = now - this.#born > this.#maxAgeMs;
    if (this.#drainingSince === 0) {
      if (!tooOld && !passed(limits.idleTimeoutMs, this.#busyAt, now)) return;
      this.#drainingSince = now;
      connection.drain();
    } else if (tooOld && passed(limits.maxAgeGraceMs, this.#drainingSince, now)) {
      connection.destroy('the connection has reached its maximum age');
    }
  }
}

/** Whether a limit in time is there and over. */
function passed(limitMs: number, since: number, now: number): boolean {
  return limitMs > 0 && now - since > limitMs;
}
