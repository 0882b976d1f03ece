import { seededRandom } from '@shoal/core';
import { type Batch, type BatchResult, type OfferFacts, Scheduler, queuePolicy } from '@shoal/scheduler';
import type { SchedulingJob, SchedulingResult } from '../tables/scheduler';

/*
 * The scheduler alone in one process: a closed loop in virtual time. As many requests are open as there are runners times
 * `openPerRunner`; all runners' batches take the same time, so they end in the order in which they began. What is measured is the
 * whole life of a request, from its offer to its settlement.
 */

const maxBatchSize = 32;
/** Room for all batches in flight; a power of two. */
const ringSize = 1 << 16;
/** Turns between two looks at the clock. */
const turns = 200;
const queuedOffers = 200_000;

const ran: BatchResult = { outcome: 'ok', code: 'UNKNOWN', message: '', memberErrors: [], absent: [] };
const facts: OfferFacts = {
  ...{ rows: 1, shapeKey: '16', bytes: 64, timeoutMs: 0, ageMs: 0, priority: 0 },
  ...{ queueTimeoutUs: 0, solo: false, background: false },
};
const unbounded = { requests: 1e9, rows: 1e9, bytes: 1e15 };
const policy = () => queuePolicy({ dynamic: true, maxBatchSize, bounds: unbounded });

function measure({ models, runners, openPerRunner, effort }: SchedulingJob): SchedulingResult {
  const ring = new Array<Batch<number> | undefined>(ringSize).fill(undefined);
  let [head, tail, free, settled, batches] = [0, 0, runners * openPerRunner, 0, 0];
  const scheduler = new Scheduler<number>({
    dispatch(batch) {
      ring[tail & (ringSize - 1)] = batch;
      tail += 1;
      batches += 1;
    },
    settle() {
      free += 1;
      settled += 1;
    },
    wakeAt: () => undefined,
    queueDrained: () => undefined,
  });
  const keys = Array.from({ length: models }, (_, i) => `model_${i}/1@generation`);
  for (const key of keys) scheduler.addQueue(key, policy());
  // Those with runners are spread over all models.
  const active = Math.min(models, runners);
  const served = Array.from({ length: active }, (_, i) => keys[Math.floor((i * models) / active)] as string);
  for (let i = 0; i < runners; i += 1) scheduler.addRunner(0, `runner-${i}`, served[i % active] as string, 2);
  const random = seededRandom(1);
  const order = Array.from({ length: 1 << 18 }, () => served[Math.floor(random.next() * active)] as string);
  let [now, offered] = [0, 0];
  const turn = () => {
    for (; free > 0; free -= 1) {
      offered += 1;
      scheduler.offer(now, order[offered & (order.length - 1)] as string, facts, offered);
    }
    const batch = ring[head & (ringSize - 1)] as Batch<number>;
    ring[head & (ringSize - 1)] = undefined;
    head += 1;
    now += 0.001;
    scheduler.batchDone(now, batch.runner.id, batch.id, ran);
  };
  const runFor = (seconds: number) => {
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) for (let i = 0; i < turns; i += 1) turn();
  };
  runFor(effort.warmupSeconds);
  [settled, batches] = [0, 0];
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  runFor(effort.seconds);
  const { user, system } = process.cpuUsage(cpu);
  return {
    rate: (settled * 1000) / (performance.now() - from),
    cpuNs: ((user + system) * 1000) / settled,
    batch: settled / batches,
    queuedBytes: queuedBytes(keys),
  };
}

/** Heap that one waiting offer takes, with its place in its queue. */
function queuedBytes(keys: readonly string[]): number {
  const scheduler = new Scheduler<number>({
    dispatch: () => undefined,
    settle: () => undefined,
    wakeAt: () => undefined,
    queueDrained: () => undefined,
  });
  for (const key of keys) scheduler.addQueue(key, policy());
  const before = heapBytes();
  for (let i = 0; i < queuedOffers; i += 1) scheduler.offer(i / 1000, keys[i % keys.length] as string, facts, i);
  const bytes = (heapBytes() - before) / queuedOffers;
  // It must be alive until here.
  if (scheduler.queue(keys[0] as string) === undefined) throw new Error('the queue is gone');
  return bytes;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

process.stdout.write(JSON.stringify(measure(JSON.parse(process.argv[2] ?? '') as SchedulingJob)));
