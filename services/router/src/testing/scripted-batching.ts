import { type BatchingAnnouncement, type Bus, batchingPrefix } from '@shoal/bus';
import type { ErrorCode } from '@shoal/core';
import type { Cancel, Link, LinkListener, LinkTransport, Offer } from '@shoal/link';

/** A batching instance whose decisions a test scripts. */
export class ScriptedBatching {
  readonly id: string;
  readonly offers: Offer[] = [];
  readonly cancels: Cancel[] = [];
  /** What to do with an offer; by default it is sent to `runner` at once, alone. */
  onOffer: (offer: Offer) => void = (offer) => this.send(offer);
  runner = 'runner-1';
  readonly #bus: Bus;
  #link: Link | undefined;
  #listener: LinkListener | undefined;
  #batchId = 0;

  constructor(bus: Bus, id: string) {
    this.#bus = bus;
    this.id = id;
  }

  async start(transport: LinkTransport): Promise<void> {
    const hello = { kind: 'hello', role: 'batching', id: this.id } as const;
    this.#listener = await transport.listen(`inproc:${this.id}`, hello, (link) => {
      this.#link = link;
      link.onMessage((message) => {
        if (message.kind === 'cancel') this.cancels.push(message);
        if (message.kind !== 'offer') return;
        this.offers.push(message);
        this.onOffer(message);
      });
    });
    const announcement: BatchingAnnouncement = { id: this.id, address: `inproc:${this.id}` };
    this.#bus.announce(`${batchingPrefix}${this.id}`, announcement);
  }

  send({ offerId }: Offer, runner = this.runner): void {
    this.#batchId += 1;
    this.#link?.send({ kind: 'send', offerId, batchId: this.#batchId, member: 0, runner });
  }

  reject({ offerId }: Offer, code: ErrorCode, message: string, origin: 'model' | 'queue'): void {
    this.#link?.send({ kind: 'reject', offerId, code, message, origin });
  }

  /** The process is gone. */
  async kill(): Promise<void> {
    await this.#listener?.close();
    this.#bus.withdraw(`${batchingPrefix}${this.id}`);
  }
}
