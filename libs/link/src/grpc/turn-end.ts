/** Has something to send when the event loop's turn is over. */
export interface TurnEndListener {
  turnEnded(): void;
}

/**
 * Calls back when the event loop's turn is over (setImmediate: after all sockets that had something to read; when there
 * is nothing else to do this comes at once). All who wait are called in one go, so that what several links say over
 * the same connection is one write.
 */
export class TurnEnd {
  #waiting: TurnEndListener[] = [];

  add(listener: TurnEndListener): void {
    if (this.#waiting.length === 0) setImmediate(this.#over);
    this.#waiting.push(listener);
  }

  readonly #over = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of waiting) listener.turnEnded();
  };
}

/** Of this thread's event loop. */
export const turnEnd = new TurnEnd();
