import type { ShoalError } from '@shoal/core';
import type { Dialling } from './attempt';
import { type Sendable, Subchannel } from './subchannel';

/** The connections of a client, over which calls are spread: each goes where the fewest are. They are made as they are needed. */
export class Channel {
  readonly #subchannels: readonly Subchannel[];
  readonly #only: Subchannel | undefined;

  constructor(dialling: Dialling, connections: number) {
    const failedOver = (call: Sendable, error: ShoalError) => this.#failedOver(call, error);
    this.#subchannels = Array.from({ length: connections }, () => new Subchannel(dialling, failedOver));
    if (connections === 1) this.#only = this.#subchannels[0];
  }

  /** Sends a call, now or later; it fails at once when nobody has been reached lately. */
  start(call: Sendable): void {
    (this.#only ?? this.#pick()).start(call);
  }

  close(): void {
    for (const subchannel of this.#subchannels) subchannel.close();
  }

  #pick(): Subchannel {
    let best: Subchannel | undefined;
    let lastFailed = this.#subchannels[0] as Subchannel;
    for (const subchannel of this.#subchannels) {
      if (subchannel.isResting) {
        if (subchannel.failedAt >= lastFailed.failedAt) lastFailed = subchannel;
      } else if (best === undefined || subchannel.load < best.load) best = subchannel;
    }
    return best ?? lastFailed;
  }

  /** One connection could not be made; another may be there. */
  #failedOver(call: Sendable, error: ShoalError): void {
    if (this.#subchannels.some(({ state }) => state === 'ready')) this.start(call);
    else call.fail(error);
  }
}
