import type { CancelTimer, Clock } from '@shoal/core';

/** A connection, as the guard sees it. */
export interface Sending {
  /** Bytes of answers that wait for windows or the socket. */
  readonly waitingBytes: number;
  /** Bytes that the socket has taken so far. */
  readonly takenBytes: number;
  destroy(): void;
}

const lookMs = 1000;
/** Who takes at least this many bytes between two looks is not to blame. */
const quick = 1024 * 1024;

/**
 * Answers are computed once their requests have come, whether or not their client reads them, and each connection alone may stay
 * within its limits. When all that waits together is more than `limit`, the connections that take least are ended. It looks once a second, so
 * that sending costs nothing.
 */
export class OutputGuard {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #connections: ReadonlySet<Sending>;
  #taken = new Map<Sending, number>();
  #cancel: CancelTimer | undefined;

  /** @param limit in bytes */
  constructor(clock: Clock, limit: number, connections: ReadonlySet<Sending>) {
    this.#clock = clock;
    this.#limit = limit;
    this.#connections = connections;
  }

  /** While there are connections. */
  start(): void {
    this.#cancel ??= this.#clock.schedule(lookMs, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#taken.clear();
  }

  #look(): void {
    this.#cancel = undefined;
    this.start();
    const before = this.#taken;
    this.#taken = new Map();
    const slow: { connection: Sending; progress: number }[] = [];
    let waiting = 0;
    for (const connection of this.#connections) {
      const { waitingBytes, takenBytes } = connection;
      if (waitingBytes === 0) continue;
      waiting += waitingBytes;
      this.#taken.set(connection, takenBytes);
      const progress = takenBytes - (before.get(connection) ?? 0);
      if (progress < quick) slow.push({ connection, progress });
    }
    if (waiting <= this.#limit) return;
    slow.sort((one, other) => one.progress - other.progress);
    for (const { connection } of slow) {
      if (waiting <= this.#limit) return;
      waiting -= connection.waitingBytes;
      connection.destroy();
    }
  }
}
