import { IdTable } from '@shoal/core';
import { type Data, byteLengthOf } from '@shoal/link';
import { PastBatches } from './past-batches';

/** What a batch's place holds: bytes awaited, bytes here, or nobody (withdrawn, router gone, bytes never came). */
interface Slot<L> {
  readonly router: string;
  readonly rows: number;
  state: 'awaited' | 'here' | 'absent';
  arrival: Arrival<L> | undefined;
}

/** A member's bytes and the road its answer takes back. */
export interface Arrival<L> {
  readonly data: Data;
  readonly link: L;
}

/** A batch all of whose members are here or absent. */
export interface GatheredBatch<L> {
  readonly batchId: number;
  /** Who granted it. */
  readonly origin: string;
  /** Clock time of the grant's arrival, ms. */
  readonly arrivedAt: number;
  /** Those present, by place; `rows` as batching granted them. */
  readonly present: readonly { readonly member: number; readonly rows: number; readonly arrival: Arrival<L> }[];
  readonly absent: readonly number[];
}

interface Entry<L> {
  readonly batchId: number;
  readonly origin: string;
  readonly arrivedAt: number;
  readonly slots: Slot<L>[];
  awaited: number;
  running: boolean;
}

/** Bytes that came before their batch; without an arrival: a withdrawal that did. */
interface EarlyMember<L> {
  readonly router: string;
  readonly at: number;
  readonly arrival?: Arrival<L>;
}

/** What the shell must do after an event. */
export type BookAction<L> =
  /** Let go of the bytes, and tell the router that its offer was not run. */
  | { readonly kind: 'refuse'; readonly arrival: Arrival<L> }
  /** Let go of the bytes: nobody waits for the answer. */
  | { readonly kind: 'drop'; readonly arrival: Arrival<L> }
  /** Nobody waits for the running batch any more. */
  | { readonly kind: 'abandoned'; readonly batchId: number };

export interface BookLimits {
  /** Members whose bytes have not come after this are left out, however large they may be. */
  readonly gatherTimeoutMs: number;
  /** The same for members of no size: others wait for them, and their router may stand still. */
  readonly lateMs: number;
  /** Bytes whose batch has not been announced after this are refused. */
  readonly earlyTimeoutMs: number;
  /** Most bytes held for batches not yet announced. */
  readonly earlyBytes: number;
  /** Most members held so. */
  readonly earlyMembers: number;
}

/** Ids of past batches that are remembered, so that their late bytes are refused at once. */
const rememberedBatches = 1024;

/** Routers that are gone or late, of whom batching will soon know too. */
const rememberedRouters = 256;

/** Bytes per ms of the road that members as large as the largest so far are waited for on: at first, and in the end. */
const firstRoad = 1_000;
const slowestRoad = 50;

/**
 * Joins what batching grants with what routers send: a pure state machine. Bytes and grant travel over different
 * links, so either may come first. Events come in as method calls with the time; actions and gathered batches come out.
 * `L` is whatever leads back to a router.
 */
export class BatchBook<L> {
  readonly #limits: BookLimits;
  /** In the order of their grants; a few at most, as many as there are credits. */
  readonly #entries: Entry<L>[] = [];
  readonly #byId = new IdTable<Entry<L>>();
  readonly #early = new Map<number, Map<number, EarlyMember<L>>>();
  readonly #past = new PastBatches(rememberedBatches);
  /**
   * Routers that nobody waits for, the latest last: their links have closed and not been opened again, or their bytes did not
   * come in time and nothing has come since.
   */
  readonly #silent = new Set<string>();
  /** Most bytes that a member had. */
  #largest = 0;
  /** How fast they are taken to come, in bytes per ms: slower with each router that was not silent after all. */
  #road = firstRoad;
  #earlyBytes = 0;
  #earlyMembers = 0;

  constructor(limits: BookLimits) {
    this.#limits = limits;
  }

  /** Batches granted and not finished. */
  get held(): number {
    return this.#entries.length;
  }

  /** Members whose batch is not known yet. */
  get early(): number {
    return this.#earlyMembers;
  }

  /** Batching granted a batch. Undefined: it cannot be taken (malformed, or its id is in use). */
  granted(
    batchId: number,
    origin: string,
    routers: readonly string[],
    rows: readonly number[],
    now: number,
  ): BookAction<L>[] | undefined {
    if (this.#byId.has(batchId) || routers.length === 0 || routers.length !== rows.length) return undefined;
    this.#past.delete(batchId);
    // Batching may not know yet that a router is gone, or stands still: the others do not wait for its bytes.
    const slots = routers.map((router, i): Slot<L> => ({
      router,
      rows: rows[i] as number,
      state: this.#silent.has(router) ? 'absent' : 'awaited',
      arrival: undefined,
    }));
    const awaited = slots.filter(({ state }) => state === 'awaited').length;
    const entry = { batchId, origin, arrivedAt: now, slots, awaited, running: false };
    this.#entries.push(entry);
    this.#byId.set(batchId, entry);
    const actions: BookAction<L>[] = [];
    for (const [member, early] of this.#takeEarly(batchId)) {
      const slot = slots[member];
      if (slot?.state === 'awaited' && slot.router === early.router) this.#fill(entry, slot, early.arrival);
      else if (early.arrival) actions.push(refusal(early.arrival));
    }
    return actions;
  }

  /** A router's bytes came. */
  data(router: string, arrival: Arrival<L>, now: number): BookAction<L>[] {
    const { batchId, member } = arrival.data;
    const size = sizeOf(arrival.data);
    if (size > this.#largest) this.#largest = size;
    if (this.#silent.delete(router)) this.#road = Math.max(this.#road / 2, slowestRoad);
    const entry = this.#byId.get(batchId);
    if (entry) {
      const slot = entry.slots[member];
      if (slot?.state === 'awaited' && slot.router === router) {
        this.#fill(entry, slot, arrival);
        return [];
      }
      return [refusal(arrival)];
    }
    if (
      this.#past.has(batchId) ||
      this.#earlyMembers >= this.#limits.earlyMembers ||
      this.#earlyBytes + size > this.#limits.earlyBytes ||
      this.#early.get(batchId)?.has(member)
    ) {
      return [refusal(arrival)];
    }
    this.#keepEarly(batchId, member, { router, at: now, arrival });
    return [];
  }

  /** A router's client is gone. */
  withdrawn(router: string, batchId: number, member: number, now: number): BookAction<L>[] {
    this.#silent.delete(router);
    const entry = this.#byId.get(batchId);
    if (entry) {
      const slot = entry.slots[member];
      return slot?.router === router ? this.#leave(entry, slot) : [];
    }
    if (this.#past.has(batchId)) return [];
    const kept = this.#early.get(batchId)?.get(member);
    if (kept) {
      if (kept.router !== router) return [];
      this.#dropEarly(batchId, member, kept);
    }
    if (this.#earlyMembers < this.#limits.earlyMembers) this.#keepEarly(batchId, member, { router, at: now });
    return dropped(kept?.arrival);
  }

  /** A router's link is open, for the first time or again. */
  routerJoined(router: string): void {
    this.#silent.delete(router);
  }

  /** A router's link closed: it offers everything again elsewhere, so none of its members needs to run. */
  routerLost(router: string): BookAction<L>[] {
    this.#ignore(router);
    const actions: BookAction<L>[] = [];
    for (const [batchId, members] of this.#early) {
      for (const [member, early] of members) {
        if (early.router !== router) continue;
        this.#dropEarly(batchId, member, early);
        actions.push(...dropped(early.arrival));
      }
    }
    for (const entry of this.#entries) {
      for (const slot of entry.slots) {
        if (slot.router === router) actions.push(...this.#leave(entry, slot));
      }
    }
    return actions;
  }

  /** Lets go of what has waited too long. */
  tick(now: number): BookAction<L>[] {
    const actions: BookAction<L>[] = [];
    for (const entry of this.#entries) {
      if (entry.running || entry.awaited === 0 || now < this.#dueAt(entry)) continue;
      for (const slot of entry.slots) {
        if (slot.state !== 'awaited') continue;
        this.#ignore(slot.router);
        this.#fill(entry, slot, undefined);
      }
    }
    for (const [batchId, members] of this.#early) {
      for (const [member, early] of members) {
        if (now < early.at + this.#limits.earlyTimeoutMs) continue;
        this.#dropEarly(batchId, member, early);
        if (early.arrival) actions.push(refusal(early.arrival));
      }
    }
    return actions;
  }

  /** When `tick` has something to do next; undefined = never. */
  nextTick(): number | undefined {
    let next = Infinity;
    for (const entry of this.#entries) {
      if (entry.awaited > 0) next = Math.min(next, this.#dueAt(entry));
    }
    for (const members of this.#early.values()) {
      for (const early of members.values()) next = Math.min(next, early.at + this.#limits.earlyTimeoutMs);
    }
    return next === Infinity ? undefined : next;
  }

  /** The next batch to run, marked as running; undefined when none is complete. `finish` must follow. */
  take(): GatheredBatch<L> | undefined {
    for (const entry of this.#entries) {
      if (entry.running || entry.awaited > 0) continue;
      entry.running = true;
      const batch = gathered(entry);
      // The bytes go with the batch.
      for (const slot of entry.slots) slot.arrival = undefined;
      return batch;
    }
    return undefined;
  }

  /** False once the member's client is gone: its answer would be for nobody. */
  isPresent(batchId: number, member: number): boolean {
    return this.#byId.get(batchId)?.slots[member]?.state === 'here';
  }

  /** The batch is over. */
  finish(batchId: number): void {
    const entry = this.#byId.get(batchId);
    if (entry) this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#byId.delete(batchId);
    this.#past.add(batchId);
  }

  /** Until when a batch's bytes are waited for. Those that come later are refused, and offered again. */
  #dueAt({ arrivedAt, awaited }: Entry<L>): number {
    const { gatherTimeoutMs, lateMs } = this.#limits;
    return arrivedAt + Math.min(gatherTimeoutMs, lateMs + (this.#largest * awaited) / this.#road);
  }

  #ignore(router: string): void {
    this.#silent.delete(router);
    this.#silent.add(router);
    const [longest] = this.#silent;
    if (this.#silent.size > rememberedRouters && longest !== undefined) this.#silent.delete(longest);
  }

  #fill(entry: Entry<L>, slot: Slot<L>, arrival: Arrival<L> | undefined): void {
    entry.awaited -= 1;
    if (arrival) {
      slot.state = 'here';
      slot.arrival = arrival;
    } else {
      slot.state = 'absent';
    }
  }

  #leave(entry: Entry<L>, slot: Slot<L>): BookAction<L>[] {
    if (slot.state === 'absent') return [];
    if (slot.state === 'awaited') entry.awaited -= 1;
    slot.state = 'absent';
    const actions = dropped(slot.arrival);
    slot.arrival = undefined;
    if (entry.running && !entry.slots.some((other) => other.state === 'here')) {
      actions.push({ kind: 'abandoned', batchId: entry.batchId });
    }
    return actions;
  }

  #keepEarly(batchId: number, member: number, early: EarlyMember<L>): void {
    let members = this.#early.get(batchId);
    if (!members) this.#early.set(batchId, (members = new Map()));
    members.set(member, early);
    this.#earlyMembers += 1;
    if (early.arrival) this.#earlyBytes += sizeOf(early.arrival.data);
  }

  #dropEarly(batchId: number, member: number, early: EarlyMember<L>): void {
    const members = this.#early.get(batchId);
    members?.delete(member);
    if (members?.size === 0) this.#early.delete(batchId);
    this.#earlyMembers -= 1;
    if (early.arrival) this.#earlyBytes -= sizeOf(early.arrival.data);
  }

  #takeEarly(batchId: number): readonly [number, EarlyMember<L>][] {
    const taken = [...(this.#early.get(batchId) ?? [])];
    for (const [member, early] of taken) this.#dropEarly(batchId, member, early);
    return taken;
  }
}

function dropped<L>(arrival: Arrival<L> | undefined): BookAction<L>[] {
  return arrival ? [{ kind: 'drop', arrival }] : [];
}

function refusal<L>(arrival: Arrival<L>): BookAction<L> {
  return { kind: 'refuse', arrival };
}

function sizeOf(data: Data): number {
  let size = 0;
  for (const input of data.inputs) size += byteLengthOf(input.bytes);
  return size;
}

function gathered<L>(entry: Entry<L>): GatheredBatch<L> {
  const present: { member: number; rows: number; arrival: Arrival<L> }[] = [];
  const absent: number[] = [];
  entry.slots.forEach((slot, member) => {
    if (slot.arrival) present.push({ member, rows: slot.rows, arrival: slot.arrival });
    else absent.push(member);
  });
  return { batchId: entry.batchId, origin: entry.origin, arrivedAt: entry.arrivedAt, present, absent };
}
