import { readFileSync } from 'node:fs';
import { type Arrivals, type Random, ShoalError, constantArrivals, poissonArrivals } from '@shoal/core';
import { burstyArrivals, dailyArrivals, recordedArrivals } from '@shoal/scheduler';
import type { SimulateConfig } from './simulate-flags';

/** Traffic that can be told from its beginning again and again: once for each number of runners that is tried. */
export interface SimulatedTraffic {
  /** Requests a second. */
  readonly rate: number;
  /** In words. */
  readonly name: string;
  begin(random: Random): Arrivals;
}

/** @throws ShoalError INVALID_ARGUMENT for options that contradict each other, and for a trace that cannot be read. */
export function trafficOf(config: SimulateConfig): SimulatedTraffic {
  const { rate, arrivals, trace } = config;
  if (trace !== '') return recorded(trace, rate);
  if (!(rate > 0))
    throw wrong('how many requests a second? Say --rate 100, or name a recorded trace with --trace FILE');
  const perSecond = `${rate} requests a second`;
  if (arrivals === 'constant') {
    return { rate, name: `${perSecond}, equal gaps`, begin: () => constantArrivals(rate) };
  }
  if (arrivals === 'bursts') {
    const { burstFactor: factor, burstShare: share, burstSecs } = config;
    if (share * factor > 1 + 1e-9) {
      throw wrong(
        `--burst-share=${share} --burst-factor=${factor}: bursts alone would be more than the whole rate; the share can be ${(1 / factor).toPrecision(3)} at most`,
      );
    }
    const bursts = { rate, factor, share, meanMs: burstSecs * 1000 };
    const name = `${perSecond} on average, ${factor} times that for ${burstSecs} s now and then`;
    return { rate, name, begin: (random) => burstyArrivals(bursts, random) };
  }
  if (arrivals === 'daily') {
    const { dayDepth: depth, daySecs, durationSecs } = config;
    const periodMs = (daySecs || durationSecs) * 1000;
    const name = `${perSecond} on average, from ${figureOf(rate * (1 - depth))} to ${figureOf(rate * (1 + depth))}`;
    return { rate, name, begin: (random) => dailyArrivals(rate, depth, periodMs, random) };
  }
  return {
    rate,
    name: `${perSecond}, independent of each other`,
    begin: (random) => poissonArrivals(rate, random),
  };
}

function recorded(file: string, rate: number): SimulatedTraffic {
  const times = readTrace(file);
  const first = times[0] as number;
  const recordedRate = ((times.length - 1) * 1000) / ((times.at(-1) as number) - first);
  const pace = rate > 0 ? recordedRate / rate : 1;
  const told = times.map((time) => (time - first) * pace);
  const name = `${times.length} recorded requests, ${figureOf(recordedRate / pace)} a second`;
  return { rate: recordedRate / pace, name, begin: () => recordedArrivals(told, true) };
}

function readTrace(file: string): number[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw wrong(`--trace ${file}: it cannot be read`);
  }
  const times: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const seconds = Number.parseFloat(line);
    if (!Number.isFinite(seconds)) continue;
    const ms = seconds * 1000;
    if (ms < (times.at(-1) ?? -Infinity)) throw wrong(`--trace ${file}: line ${i + 1} is earlier than the one before`);
    times.push(ms);
  }
  if (times.length < 2 || times.at(-1) === times[0]) {
    throw wrong(`--trace ${file}: expected lines that begin with a time in seconds, at least two different ones`);
  }
  return times;
}

function figureOf(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function wrong(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
