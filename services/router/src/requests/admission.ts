import { ShoalError } from '@shoal/core';

/** What the router holds at most. */
export interface AdmissionLimits {
  readonly requests: number;
  readonly bytes: number;
}

/** Told of what is turned away. */
export type Shed = (reason: 'admission_requests' | 'admission_bytes', model: string) => void;

/** Of both limits, for requests in the background, so that a flood of them leaves room for the others. */
const backgroundShare = 1 / 4;

/** Bounds what is accepted and not yet answered, so that overload costs refusals and not the process. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #shed: Shed | undefined;
  #requests = 0;
  #bytes = 0;
  readonly #background = { requests: 0, bytes: 0 };

  constructor(limits: AdmissionLimits, shed?: Shed) {
    this.#limits = limits;
    this.#shed = shed;
  }

  /** More than this is never admitted. */
  get maxBytes(): number {
    return this.#limits.bytes;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Counts a request in; `release` must follow.
   * @param model Whose it is, for the metrics.
   * @throws ShoalError RESOURCE_EXHAUSTED when it does not fit.
   */
  admit(bytes: number, background = false, model = ''): void {
    const { requests: maxRequests, bytes: maxBytes } = this.#limits;
    if (bytes > maxBytes) {
      this.#shed?.('admission_bytes', model);
      throw refused(`the request has ${bytes} bytes, more than the ${maxBytes} that this server holds at a time`);
    }
    if (this.#requests >= maxRequests) {
      this.#shed?.('admission_requests', model);
      throw refused(`the server is at its limit of ${maxRequests} unanswered requests; try again later`);
    }
    if (this.#bytes + bytes > maxBytes) {
      this.#shed?.('admission_bytes', model);
      throw refused(`the server is at its limit of ${maxBytes} bytes in unanswered requests; try again later`);
    }
    if (background) this.#admitBackground(bytes, model);
    this.#requests += 1;
    this.#bytes += bytes;
  }

  release(bytes: number, background = false): void {
    this.#requests -= 1;
    this.#bytes -= bytes;
    if (!background) return;
    this.#background.requests -= 1;
    this.#background.bytes -= bytes;
  }

  #admitBackground(bytes: number, model: string): void {
    const held = this.#background;
    const requests = Math.ceil(this.#limits.requests * backgroundShare);
    const maxBytes = Math.ceil(this.#limits.bytes * backgroundShare);
    if (held.requests >= requests) {
      this.#shed?.('admission_requests', model);
      throw refused(`the server is at its limit of ${requests} unanswered background requests; try again later`);
    }
    if (held.bytes + bytes > maxBytes) {
      this.#shed?.('admission_bytes', model);
      throw refused(
        `the server is at its limit of ${maxBytes} bytes in unanswered background requests; try again later`,
      );
    }
    held.requests += 1;
    held.bytes += bytes;
  }
}

function refused(message: string): ShoalError {
  return new ShoalError('RESOURCE_EXHAUSTED', message);
}
