import type { MemberStory, RequestStory } from '@shoal/bus';
import type { Clock } from '@shoal/core';
import type { Done } from '@shoal/link';
import type { Batch, Rejection, Ticket } from '@shoal/scheduler';
import type { OfferTag } from '../router-link';

/** Members that are kept for each batch that is kept, on average. */
const membersPerBatch = 8;

/** Some of what a rejection says is made of others' words. */
const maxText = 500;

interface RejectedRequest {
  readonly requestId: string;
  readonly router: string;
  readonly offerId: number;
  readonly queue: string;
  readonly rows: number;
  readonly waitedMs: number;
  readonly at: number;
  readonly rejection: Rejection;
}

/**
 * The batches of the last moments, and who was in them: metadata for those who ask why a request waited, and with whom it ran. Rings
 * of fixed size, whose places are written over and over; a batch costs the writing of some numbers, and nothing is looked up.
 * Batches of one scheduler have numbers that follow one another, so a number tells its place.
 */
export class BatchJournal {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #ids: Float64Array;
  readonly #queues: string[];
  readonly #runners: string[];
  readonly #reasons: string[];
  readonly #outcomes: string[];
  readonly #dispatchedAt: Float64Array;
  readonly #endedAt: Float64Array;
  readonly #waitMs: Float64Array;
  readonly #runMs: Float64Array;
  readonly #leftRows: Float64Array;
  readonly #firstMember: Float64Array;
  readonly #memberCount: Float64Array;

  readonly #members: number;
  readonly #requestIds: string[];
  readonly #routers: string[];
  readonly #offerIds: Float64Array;
  readonly #rows: Float64Array;
  readonly #acceptedAt: Float64Array;
  readonly #batchOf: Float64Array;
  /** Members noted so far. */
  #noted = 0;

  readonly #rejected: RejectedRequest[] = [];
  #rejections = 0;

  /** @param size Batches to keep. */
  constructor(clock: Clock, size: number) {
    this.#clock = clock;
    this.#size = size;
    this.#ids = new Float64Array(size).fill(-1);
    [this.#queues, this.#runners, this.#reasons, this.#outcomes] = [texts(size), texts(size), texts(size), texts(size)];
    this.#dispatchedAt = new Float64Array(size);
    this.#endedAt = new Float64Array(size);
    this.#waitMs = new Float64Array(size);
    this.#runMs = new Float64Array(size);
    this.#leftRows = new Float64Array(size);
    this.#firstMember = new Float64Array(size);
    this.#memberCount = new Float64Array(size);
    this.#members = size * membersPerBatch;
    this.#requestIds = texts(this.#members);
    this.#routers = texts(this.#members);
    this.#offerIds = new Float64Array(this.#members);
    this.#rows = new Float64Array(this.#members);
    this.#acceptedAt = new Float64Array(this.#members);
    this.#batchOf = new Float64Array(this.#members);
  }

  /** A batch was given to its runner. */
  dispatched({ id, queue, runner, members, reason, dispatchedAt }: Batch<OfferTag>): void {
    const place = id % this.#size;
    this.#ids[place] = id;
    this.#queues[place] = queue.key;
    this.#runners[place] = runner.id;
    this.#reasons[place] = reason;
    this.#outcomes[place] = '';
    this.#dispatchedAt[place] = dispatchedAt;
    this.#leftRows[place] = queue.plain.rows + queue.background.rows;
    this.#firstMember[place] = this.#noted;
    this.#memberCount[place] = members.length;
    for (const { tag, acceptedAt } of members) {
      const at = this.#noted % this.#members;
      this.#requestIds[at] = tag.requestId;
      this.#routers[at] = tag.router.id;
      this.#offerIds[at] = tag.offerId;
      this.#rows[at] = tag.rows;
      this.#acceptedAt[at] = acceptedAt;
      this.#batchOf[at] = id;
      this.#noted += 1;
    }
  }

  /** A batch is over. */
  done(batchId: number, done: Done, now: number): void {
    const place = batchId % this.#size;
    if (this.#ids[place] !== batchId) return;
    this.#outcomes[place] = done.outcome;
    this.#endedAt[place] = now;
    this.#waitMs[place] = done.waitNs / 1e6;
    this.#runMs[place] = (done.computeInputNs + done.computeInferNs + done.computeOutputNs) / 1e6;
  }

  /** A request was refused or given up. */
  rejected({ tag, queue, acceptedAt }: Ticket<OfferTag>, rejection: Rejection, now: number): void {
    const { requestId, router, offerId, rows } = tag;
    const waitedMs = now - acceptedAt;
    const one = { requestId, router: router.id, offerId, queue: queue.key, rows, waitedMs, at: now, rejection };
    this.#rejected[this.#rejections % this.#size] = one;
    this.#rejections += 1;
  }

  /** What is known of requests with this id, the newest first; at most `most`. */
  find(requestId: string, most: number): RequestStory[] {
    if (requestId === '') return [];
    const stories: RequestStory[] = [];
    for (let member = this.#noted - 1; member >= 0 && this.#noted - member <= this.#members; member -= 1) {
      if (this.#requestIds[member % this.#members] !== requestId) continue;
      stories.push(this.#memberStory(member % this.#members));
      if (stories.length >= most) break;
    }
    for (const one of this.#rejected) if (one.requestId === requestId) stories.push(this.#rejectedStory(one));
    return stories.toSorted((a, b) => b.acceptedMs - a.acceptedMs).slice(0, most);
  }

  #memberStory(at: number): RequestStory {
    const acceptedAt = this.#acceptedAt[at] as number;
    const batchId = this.#batchOf[at] as number;
    const place = batchId % this.#size;
    const known = this.#ids[place] === batchId;
    const queueMs = known ? (this.#dispatchedAt[place] as number) - acceptedAt : 0;
    return {
      requestId: this.#requestIds[at] as string,
      router: this.#routers[at] as string,
      offerId: this.#offerIds[at] as number,
      queue: known ? (this.#queues[place] as string) : '',
      rows: this.#rows[at] as number,
      acceptedMs: this.#wall(acceptedAt),
      queueMs,
      ...(known && { batch: this.#batchStory(place, batchId) }),
    };
  }

  #batchStory(place: number, id: number): NonNullable<RequestStory['batch']> {
    const dispatchedAt = this.#dispatchedAt[place] as number;
    const outcome = this.#outcomes[place] as string;
    const first = this.#firstMember[place] as number;
    const count = this.#memberCount[place] as number;
    const numbers = Array.from({ length: count }, (_, i) => first + i).filter(
      (one) => this.#noted - one <= this.#members,
    );
    const members = numbers.map((one): MemberStory => {
      const at = one % this.#members;
      return {
        requestId: this.#requestIds[at] as string,
        rows: this.#rows[at] as number,
        queueMs: dispatchedAt - (this.#acceptedAt[at] as number),
      };
    });
    return {
      id,
      runner: this.#runners[place] as string,
      reason: this.#reasons[place] as string,
      dispatchedMs: this.#wall(dispatchedAt),
      leftRows: this.#leftRows[place] as number,
      requests: count,
      rows: members.reduce((sum, { rows }) => sum + rows, 0),
      members,
      outcome,
      ...(outcome !== '' && {
        tookMs: (this.#endedAt[place] as number) - dispatchedAt,
        waitMs: this.#waitMs[place] as number,
        runMs: this.#runMs[place] as number,
      }),
    };
  }

  #rejectedStory({ requestId, router, offerId, queue, rows, waitedMs, at, rejection }: RejectedRequest): RequestStory {
    const { code, message, reason } = rejection;
    return {
      ...{ requestId, router, offerId, queue, rows, queueMs: waitedMs, acceptedMs: this.#wall(at - waitedMs) },
      rejection: { code, reason, message: message.slice(0, maxText) },
    };
  }

  #wall(time: number): number {
    return Math.round(this.#clock.epochMs() - (this.#clock.now() - time));
  }
}

function texts(count: number): string[] {
  return new Array<string>(count).fill('');
}
