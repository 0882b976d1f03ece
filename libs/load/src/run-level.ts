import { type Clock, type Random, constantArrivals, poissonArrivals, sleep } from '@shoal/core';
import { closedLoop } from './closed-loop';
import type { Driver } from './driver';
import { type GeneratorCost, GeneratorMeter } from './generator-cost';
import { openLoop } from './open-loop';
import type { Pacer } from './pacer';
import { type Failures, Recorder } from './recorder';
import type { OpenSender } from './sender';
import type { Latencies } from './latencies';

/** How hard to push. */
export type LoadLevel =
  | { readonly kind: 'closed'; readonly concurrency: number }
  | {
      readonly kind: 'open';
      /** Requests a second. */
      readonly rate: number;
      readonly distribution: 'constant' | 'poisson';
      readonly maxInFlight: number;
    };

/** What runs a level, and how long. */
export interface LevelOptions {
  readonly level: LoadLevel;
  readonly open: OpenSender;
  readonly clock: Clock;
  readonly random: Random;
  /** For open levels. */
  readonly createPacer: () => Pacer;
  readonly warmupMs: number;
  readonly measureMs: number;
  /** How long the last answers are waited for. */
  readonly drainMs: number;
  /** Called at the two ends of the measured window; the end's answer is not waited for before counting stops. */
  readonly onWindow?: (edge: 'begin' | 'end') => void | Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Where a running level stands. */
export interface Progress {
  readonly phase: 'warm-up' | 'measuring' | 'waiting for the last answers';
  readonly elapsedMs: number;
  readonly totalMs: number;
  /** Requests that have ended since the level began. */
  readonly ended: number;
  readonly inFlight: number;
}

/** What a measured window showed. */
export interface LevelResult {
  readonly level: LoadLevel;
  /** The window's true length. */
  readonly windowMs: number;
  /** Answered requests a second. */
  readonly rate: number;
  readonly answered: number;
  readonly failed: number;
  /** Failures by status. */
  readonly failures: ReadonlyMap<string, Failures>;
  /** Requests that were sent more than `lateMs` after they were due; 0 in a closed loop. */
  readonly late: number;
  /** From when the request was due; equals `fromSent` in a closed loop. */
  readonly fromIntended: Latencies;
  readonly fromSent: Latencies;
  readonly generator: GeneratorCost;
}

const progressMs = 500;

/** Warms up, measures one window, waits for what is open. An abort ends it early, with what was seen until then. */
export async function runLevel(options: LevelOptions): Promise<LevelResult> {
  const { level, clock, warmupMs, measureMs } = options;
  const recorder = new Recorder(level.kind === 'closed' ? 'end' : 'intention');
  const driver = createDriver(options, recorder);
  const startedAt = clock.now();
  const pass = (phase: Progress['phase'], ms: number) =>
    wait(ms, options, () => {
      const { ended } = recorder;
      const elapsedMs = clock.now() - startedAt;
      options.onProgress?.({ phase, elapsedMs, totalMs: warmupMs + measureMs, ended, inFlight: driver.inFlight });
    });
  driver.start();
  try {
    await pass('warm-up', warmupMs);
    await options.onWindow?.('begin');
    const meter = new GeneratorMeter(clock);
    const from = clock.now();
    recorder.begin(from);
    await pass('measuring', measureMs);
    const to = clock.now();
    recorder.end(to);
    const generator = meter.end();
    await options.onWindow?.('end');
    await driver.stop(options.drainMs);
    return result(level, recorder, to - from, generator);
  } catch (thrown) {
    await driver.stop(0);
    throw thrown;
  }
}

function createDriver({ level, open, clock, random, createPacer }: LevelOptions, recorder: Recorder): Driver {
  if (level.kind === 'closed') return closedLoop(level.concurrency, open, recorder, clock);
  const { rate, distribution, maxInFlight } = level;
  const arrivals = distribution === 'poisson' ? poissonArrivals(rate, random) : constantArrivals(rate);
  return openLoop({ arrivals, maxInFlight, pacer: createPacer() }, open, recorder, clock);
}

async function wait(ms: number, { clock, signal }: LevelOptions, tell: () => void): Promise<void> {
  const until = clock.now() + ms;
  for (let left = ms; left > 0; left = until - clock.now()) {
    if (signal?.aborted) return;
    tell();
    await sleep(clock, Math.min(left, progressMs), signal).catch(() => undefined);
  }
}

function result(level: LoadLevel, recorder: Recorder, windowMs: number, generator: GeneratorCost): LevelResult {
  const { fromIntended, fromSent, failures, late } = recorder;
  const answered = fromSent.summary().count;
  let failed = 0;
  for (const { count } of failures.values()) failed += count;
  return {
    ...{ level, windowMs, answered, failed, failures, late, fromIntended, fromSent, generator },
    rate: (answered * 1000) / windowMs,
  };
}
