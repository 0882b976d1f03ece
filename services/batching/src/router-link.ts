import { type ErrorCode, IdTable } from '@shoal/core';
import type { Link, Offer } from '@shoal/link';
import type { Ticket } from '@shoal/scheduler';
import type { MemberTrace } from './tracing/member-trace';

/** What batching keeps with each request: whose it is. */
export interface OfferTag {
  readonly router: RouterLink;
  readonly offerId: number;
  /** As offered; the scheduler counts an empty request as one row. */
  readonly rows: number;
  /** The client's own; '' = none. */
  readonly requestId: string;
  /** The client wants to be told of its batch. */
  readonly why: boolean;
  /** Undefined: it is not recorded. */
  readonly trace: MemberTrace | undefined;
}

/** A router at the other end of a link, and its offers that are not settled yet. */
export class RouterLink {
  readonly link: Link;
  readonly id: string;
  readonly #tickets = new IdTable<Ticket<OfferTag>>();

  constructor(link: Link) {
    this.link = link;
    this.id = link.peer.id;
  }

  tag(offer: Offer, trace: MemberTrace | undefined): OfferTag {
    const { offerId, rows, requestId = '', why = false } = offer;
    return { router: this, offerId, rows, requestId, why, trace };
  }

  ticket(offerId: number): Ticket<OfferTag> | undefined {
    return this.#tickets.get(offerId);
  }

  keep(ticket: Ticket<OfferTag>): void {
    this.#tickets.set(ticket.tag.offerId, ticket);
  }

  forget(offerId: number): void {
    this.#tickets.delete(offerId);
  }

  /** Settles an offer without an answer. */
  reject(offerId: number, code: ErrorCode, message: string, origin: 'model' | 'queue', retryMs?: number): void {
    this.link.send({ kind: 'reject', offerId, code, message, origin, ...(retryMs !== undefined && { retryMs }) });
  }

  /** All that is not settled. */
  tickets(): Ticket<OfferTag>[] {
    return this.#tickets.values();
  }
}
