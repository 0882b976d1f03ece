import { ShoalError } from '@shoal/core';
import type { Ask, AskSource } from './ask';
import type { Pace } from './pace';
import type { PredictionStream } from './prediction-stream';
import type { Requests } from './row-requests';

export interface DriveParts {
  readonly source: AskSource;
  readonly requests: Requests;
  /** Opens the stream of predictions; `failed` is told once of its end. */
  readonly open: (failed: (error: ShoalError) => void) => PredictionStream;
  readonly pace: Pace;
  readonly limits: DriveLimits;
  readonly usage: Usage;
  readonly signal: AbortSignal;
  /** After each ask that has been told: a moment to say what is known so far. */
  readonly progressed?: (() => void) | undefined;
}

/** What may be under way at a time, whatever the budget. */
export interface DriveLimits {
  readonly requests: number;
  readonly bytes: number;
  /** In one request. */
  readonly rows: number;
}

/** What has been asked of the model. */
export interface Usage {
  rows: number;
  requests: number;
}

interface Open {
  readonly ask: Ask;
  readonly predictions: Float64Array;
  /** Requests that are not answered yet. */
  missing: number;
  readonly bytes: number;
}

/**
 * Asks what a source wants to know, several requests at a time, and tells it the answers in its order, until it is done or time is up.
 * Memory does not grow with what is asked. What is outstanding at the end is given up.
 * @returns what ended it
 * @throws ShoalError as the model or the server failed; CANCELLED when the signal was aborted
 */
export function drive(parts: DriveParts): Promise<'done' | 'deadline'> {
  return new Promise((resolve, reject) => {
    const loop = new Loop(parts, {
      ended: (how) => finish(() => resolve(how)),
      failed: (error) => finish(() => reject(error)),
    });
    const aborted = () => loop.abort();
    function finish(settle: () => void): void {
      parts.signal.removeEventListener('abort', aborted);
      settle();
    }
    parts.signal.addEventListener('abort', aborted, { once: true });
    loop.start();
  });
}

interface LoopEvents {
  ended(how: 'done' | 'deadline'): void;
  failed(error: unknown): void;
}

class Loop {
  readonly #parts: DriveParts;
  readonly #events: LoopEvents;
  readonly #stream: PredictionStream;
  readonly #open: Open[] = [];
  #bytes = 0;
  #over = false;
  /** The source computes, a piece in each turn of the event loop, and is asked and told nothing meanwhile. */
  #working = false;

  constructor(parts: DriveParts, events: LoopEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#stream = parts.open((error) => this.#fail(error));
  }

  start(): void {
    if (this.#parts.signal.aborted) {
      this.abort();
      return;
    }
    this.#parts.pace.watch(() => this.#end('deadline'));
    try {
      this.#work();
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#go();
  }

  abort(): void {
    this.#fail(new ShoalError('CANCELLED', 'the explanation was cancelled'));
  }

  /** Tells what has been answered, asks what is wanted next, and sees whether there is an end to it. */
  #go(): void {
    if (this.#working) return;
    try {
      this.#settle();
      while (!this.#working && this.#mayAsk()) {
        const ask = this.#parts.source.next(this.#parts.limits.rows);
        if (!ask) break;
        this.#send(ask);
        this.#settle();
      }
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    if (this.#over || this.#working) return;
    if (this.#parts.source.done) this.#end('done');
    else if (this.#parts.pace.late) this.#end('deadline');
    else if (this.#open.length === 0) this.#fail(new ShoalError('INTERNAL', 'the method neither asks nor ends'));
  }

  /** Has the source compute what is due, and lets others have their turn in between. */
  #work(): void {
    this.#working = this.#parts.source.work?.() ?? false;
    if (!this.#working) return;
    setImmediate(() => {
      if (this.#over) return;
      try {
        this.#work();
      } catch (thrown) {
        this.#fail(thrown);
        return;
      }
      if (!this.#working) this.#go();
    });
  }

  #mayAsk(): boolean {
    const { limits, source, pace } = this.#parts;
    if (this.#over || source.done || pace.late) return false;
    // One is always under way, however large.
    return this.#open.length === 0 || (this.#stream.outstanding < limits.requests && this.#bytes < limits.bytes);
  }

  #send(ask: Ask): void {
    const { requests, limits, usage, pace } = this.#parts;
    const buffers = requests.buffers(ask.rows, ask.sizes?.());
    ask.write(buffers);
    const bytes = requests.rowBytes * ask.rows;
    const predictions = new Float64Array(ask.rows * requests.outputs);
    const open: Open = { ask, predictions, missing: Math.ceil(ask.rows / limits.rows), bytes };
    this.#open.push(open);
    this.#bytes += bytes;
    for (let from = 0; from < ask.rows; from += limits.rows) {
      const rows = Math.min(limits.rows, ask.rows - from);
      usage.requests += 1;
      usage.rows += rows;
      this.#stream.ask(requests.message(buffers, from, rows), (view, roundTripMs) => {
        pace.measured(roundTripMs);
        requests.read(view, rows, predictions, from);
        open.missing -= 1;
        this.#go();
      });
    }
  }

  /** Tells the source what is complete, oldest first. */
  #settle(): void {
    for (let first = this.#open[0]; first?.missing === 0 && !this.#over; first = this.#open[0]) {
      if (this.#working) return;
      this.#open.shift();
      this.#bytes -= first.bytes;
      if (this.#parts.source.done) continue;
      first.ask.tell(first.predictions);
      this.#work();
      this.#parts.progressed?.();
    }
  }

  #end(how: 'done' | 'deadline'): void {
    if (!this.#close()) return;
    this.#events.ended(how);
  }

  #fail(error: unknown): void {
    if (!this.#close()) return;
    this.#events.failed(error);
  }

  #close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#parts.pace.cancel();
    this.#stream.cancel();
    this.#open.length = 0;
    return true;
  }
}
