import type { Socket } from 'node:net';

/** So much is read ahead of a road that is slow. */
const maxHeld = 64 * 1024;

/** One direction of a connection: hands on what comes, as late and as slowly as it is told. */
export class Pipe {
  /** Bytes handed on so far. */
  passed = 0;
  /** Bytes that wait here. */
  held = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  #silent = false;
  #delayMs = 0;
  #rate = Infinity;
  readonly #queue: { readonly chunk: Buffer; readonly at: number }[] = [];
  /** When the road is free for the next bytes. */
  #freeAt = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (chunk) => this.write(chunk));
    from.once('end', () => {
      this.#ended = true;
      this.#pump();
    });
    to.on('drain', () => this.#pump());
    to.once('connect', () => this.#pump());
  }

  write(chunk: Buffer): void {
    if (chunk.length > 0) {
      this.#queue.push({ chunk, at: performance.now() + this.#delayMs });
      this.held += chunk.length;
    }
    this.#pump();
  }

  /** What is held goes on its way under the new conditions. */
  set(silent: boolean, delayMs = 0, rate = Infinity): void {
    this.#silent = silent;
    this.#delayMs = delayMs;
    this.#rate = rate;
    this.#pump();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#silent = true;
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#silent) {
      if (this.held > maxHeld) this.#from.pause();
      return;
    }
    const now = performance.now();
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined) break;
      const at = Math.max(next.at, this.#freeAt);
      if (at > now) {
        this.#timer = setTimeout(() => this.#pump(), at - now);
        break;
      }
      if (this.#to.writableNeedDrain) break;
      this.#queue.shift();
      this.held -= next.chunk.length;
      this.passed += next.chunk.length;
      if (this.#rate !== Infinity) this.#freeAt = Math.max(now, this.#freeAt) + (1000 * next.chunk.length) / this.#rate;
      this.#to.write(next.chunk);
    }
    if (this.held > maxHeld && this.#delayMs === 0) this.#from.pause();
    else this.#from.resume();
    if (this.#ended && this.#queue.length === 0) this.#to.end();
  }
}
