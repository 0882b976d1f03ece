import type { PendingRequest } from './pending-request';

/** An answer that came before its turn. */
export interface HeldAnswer {
  readonly response: Uint8Array;
  readonly done: boolean;
  readonly computeUs: number;
}

/** Requests of one queue, in the order in which they came. */
export type AnswerLine = Set<PendingRequest>;

/**
 * Where answers leave in the order in which their requests came (`preserve_ordering`): several batches of such a queue run at
 * once, and an answer that comes before those of earlier requests is held. A request that fails or is cancelled gives up its
 * turn.
 */
export class AnswerOrder {
  readonly #maxBytes: number;
  #bytes = 0;
  /** By queue; none is empty. */
  readonly #lines = new Map<string, AnswerLine>();
  readonly #held = new Set<PendingRequest>();

  /** @param maxBytes Bytes of answers that may be held. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Those whose answers are held. */
  get held(): ReadonlySet<PendingRequest> {
    return this.#held;
  }

  /** Takes the last turn in its queue. */
  join(request: PendingRequest): void {
    const { queue } = request.plan.version;
    let line = this.#lines.get(queue);
    if (!line) this.#lines.set(queue, (line = new Set()));
    line.add(request);
    request.line = line;
  }

  /** Others have to be answered before. */
  isEarly(request: PendingRequest): boolean {
    return request.line !== undefined && first(request.line) !== request;
  }

  /** Whether so many bytes more may be held. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes;
  }

  hold(request: PendingRequest, answer: HeldAnswer): void {
    this.#bytes += answer.response.length;
    request.state = 'answered';
    request.held = answer;
    this.#held.add(request);
  }

  /** Gives up its turn; gives back the line that it was in. */
  leave(request: PendingRequest): AnswerLine | undefined {
    const { line } = request;
    if (!line) return undefined;
    line.delete(request);
    request.line = undefined;
    this.#bytes -= request.held?.response.length ?? 0;
    request.held = undefined;
    this.#held.delete(request);
    const { queue } = request.plan.version;
    if (line.size === 0 && this.#lines.get(queue) === line) this.#lines.delete(queue);
    return line;
  }
}

/** Whose turn it is. */
export function first(line: AnswerLine | undefined): PendingRequest | undefined {
  if (line) for (const request of line) return request;
  return undefined;
}
