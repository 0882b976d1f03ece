import { parseFlags } from '@shoal/config';
import { ShoalError, systemClock, systemRandom } from '@shoal/core';
import {
  type BenchConfig,
  type BenchRow,
  benchFlags,
  credentialsOf,
  figure,
  inferenceCalls,
  runBench,
  threadPacer,
} from '@shoal/load';
import { createClient, type GrpcCarrier } from '@shoal/rpc';
import type { ModelProfile } from '@shoal/scheduler';
import type { BenchShell } from '../bench';
import { modelArgument, requireModel } from '../client/model-argument';
import { renderColumns } from '../columns';
import { progressBar } from '../progress-bar';
import { checkWritable, writeFile } from '../write-file';
import { type ProfileConfig, profileFlags } from './profile-flags';
import { type BatchingConfig, toProfile } from './to-profile';

/**
 * `shoal profile MODEL`: measures at a running server how long the model takes for batches of each size, for `shoal simulate`.
 * @throws ShoalError for wrong options and for what the server refuses.
 */
export async function profile(argv: readonly string[], shell: BenchShell): Promise<number> {
  const { model, rest } = modelArgument(argv);
  const config = parseFlags(profileFlags, { argv: rest, env: shell.env });
  requireModel('profile', model);
  checkWritable('--out', config.out);
  const abort = new AbortController();
  shell.onInterrupt(() => abort.abort());
  const shows = config.progress && shell.stderr.isTTY === true;
  const bar = progressBar((text) => shows && shell.stderr.write(text));
  try {
    const measured = await measure(model, config, abort.signal, (share, what) => bar.show(share, what));
    const json = `${JSON.stringify(measured, undefined, 2)}\n`;
    if (config.out === '') shell.stdout.write(json);
    else {
      writeFile('--out', config.out, json);
      bar.clear();
      shell.stdout.write(`${told(measured)}\n\nwritten: ${config.out}\n`);
    }
    return 0;
  } finally {
    bar.clear();
  }
}

/** What is sent in a window. */
interface Window {
  readonly rows: number;
  readonly inFlight: number;
  seen: BenchRow[];
  /** Requests a second; undefined = each as soon as the one before is answered. */
  pace?: number | undefined;
}

/** Share of the time in which a request is under way while a size is measured. */
const paced = 0.5;

/** With pauses, as traffic has them: what sleeps in between has to be woken. Two in flight are to leave none. */
function paceOf(window: Window): number | undefined {
  const p50 = window.seen[0]?.latency.p50 ?? Number.NaN;
  window.seen = [];
  return window.inFlight === 1 && p50 > 0 ? (paced * 1000) / p50 : undefined;
}

async function measure(
  model: string,
  config: ProfileConfig,
  signal: AbortSignal,
  onProgress: (share: number, what: string) => void,
): Promise<ModelProfile & { readonly measured: object }> {
  const batching = await batchingConfig(model, config);
  const sizes = sizesOf(config.sizes, Math.max(1, batching.max_batch_size)).map((rows): Window => ({
    rows,
    inFlight: 1,
    seen: [],
  }));
  const pair: Window | undefined = runsAtOnce(batching) ? { rows: 1, inFlight: 2, seen: [] } : undefined;
  const windows = pair ? [...sizes, pair] : sizes;
  // The first round finds how long each size takes, and is forgotten.
  const all = (1 + config.rounds) * windows.length;
  for (let i = 0; i < all; i += 1) {
    if (i === windows.length) for (const window of windows) window.pace = paceOf(window);
    const window = windows[i % windows.length] as Window;
    onProgress(i / all, window.inFlight > 1 ? 'two in flight' : `batches of ${window.rows}`);
    window.seen.push(await measureWindow(model, config, window, signal));
  }
  const measured = sizes.map(({ rows, seen }) => ({ rows, windows: seen }));
  const found = toProfile(model, batching, measured, pair && { windows: pair.seen });
  const when = new Date(systemClock.epochMs()).toISOString();
  return { ...found, measured: { at: when, rounds: config.rounds, windowMs: config.windowMs } };
}

/** Whether a request that waits for the runner is sent as soon as that is free, and not before. */
function runsAtOnce({ max_batch_size: most, dynamic_batching: dynamic }: BatchingConfig): boolean {
  return most > 1 && dynamic?.max_queue_delay_microseconds === 0 && dynamic.preferred_batch_size.length === 0;
}

async function measureWindow(
  model: string,
  config: ProfileConfig,
  { rows: batchSize, inFlight, pace }: Window,
  signal: AbortSignal,
): Promise<BenchRow> {
  const { warmupMs: warmupInterval, windowMs: measurementInterval } = config;
  const base: BenchConfig = { ...parseFlags(benchFlags, { argv: [], env: {} }), ...config, modelName: model };
  const [row] = await runBench(
    {
      ...{ ...base, batchSize, warmupInterval, measurementInterval, concurrencyRange: String(inFlight) },
      ...(pace !== undefined && { requestRateRange: pace.toPrecision(4) }),
    },
    { clock: systemClock, random: systemRandom, createPacer: threadPacer, signal },
  );
  if (signal.aborted) throw new ShoalError('CANCELLED', 'the measurement was ended before it was complete');
  if (row !== undefined && row.answered > 0) return row;
  const why = Object.values(row?.failures ?? {})[0]?.example ?? 'no answer came; try a larger --window-ms';
  throw new ShoalError('UNAVAILABLE', `batches of ${batchSize} could not be measured: ${why}`);
}

async function batchingConfig(model: string, config: ProfileConfig): Promise<BatchingConfig> {
  const credentials = credentialsOf(config);
  const carrier = config.carrier as GrpcCarrier;
  const client = createClient(config.url, { carrier, clock: systemClock, ...credentials.client });
  try {
    const request = { name: model, version: config.modelVersion };
    const answer = await inferenceCalls(client, credentials.call).call<{ config: BatchingConfig | null }>(
      'ModelConfig',
      request,
    );
    return answer.config ?? { max_batch_size: 0 };
  } catch (thrown) {
    if (!(thrown instanceof ShoalError) || thrown.code !== 'UNAVAILABLE') throw thrown;
    throw new ShoalError('UNAVAILABLE', `${config.url} does not answer: ${thrown.message}`, { cause: thrown });
  } finally {
    client.close();
  }
}

/** What --sizes says, or powers of two up to the largest, and that. */
export function sizesOf(text: string, largest: number): number[] {
  if (text === '') {
    const powers = Array.from({ length: Math.ceil(Math.log2(largest)) }, (_, i) => 2 ** i);
    return [...powers, largest];
  }
  const sizes = [...new Set(text.split(',').map(Number))].toSorted((a, b) => a - b);
  if (!sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= largest)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `--sizes=${text}: expected batch sizes from 1 to ${largest}, with commas between`,
    );
  }
  return sizes;
}

function told({ model, points, fixedMs, rowMs, overheadMs, transferMs, doneMs }: ModelProfile): string {
  const rows = points.map(({ rows: size, runMs }) => [String(size), figure(runMs), figure((size * 1000) / runMs)]);
  return [
    renderColumns(['rows', 'run ms', 'rows/s'], rows),
    '',
    `${model}: about ${figure(fixedMs)} ms and ${figure(rowMs)} ms a row; ${figure(overheadMs)} ms to the server and back, ${figure(transferMs + doneMs)} ms from one run to the next`,
  ].join('\n');
}
