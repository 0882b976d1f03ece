import { chart, chartWidth, line, text } from './chart';
import { type Markup, element } from './markup';
import { type Scale, scaleOver } from './scale';
import { figure } from './text';

/** A load on a server over time, measured or simulated. */
export interface SimulationSubject {
  readonly title: string;
  /** Below the title. */
  readonly note: string;
  /** In order; latencies are NaN where nothing was answered. */
  readonly slices: readonly {
    readonly seconds: number;
    readonly rate: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  }[];
  /** What p99 should keep. */
  readonly objectiveMs: number | undefined;
  /** How many batches had so many rows; rising in rows. */
  readonly batches: readonly { readonly rows: number; readonly count: number }[];
}

const left = 64;
const right = chartWidth - 70;
const latencyTop = 64;
const latencyBottom = 250;
const rateTop = 290;
const rateBottom = 350;
const batchTop = 410;
const batchBottom = 530;

type Point = readonly [x: number, y: number];

/** Latency over time with its objective, the rate of requests below it, and how large the batches were. */
export function simulationChart({ title, note, slices, objectiveMs, batches }: SimulationSubject): string {
  const seconds = scaleOver([0, ...slices.map((slice) => slice.seconds)], left, right);
  const latencies = slices.flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]).filter(Number.isFinite);
  const latency = scaleOver([0, ...latencies, ...(objectiveMs ? [objectiveMs] : [])], latencyBottom, latencyTop);
  const rate = scaleOver([0, ...slices.map((slice) => slice.rate)], rateBottom, rateTop);
  const curve = (of: (slice: (typeof slices)[number]) => number, scale: Scale): Point[] =>
    slices.flatMap((slice): Point[] => {
      const value = of(slice);
      return Number.isFinite(value) ? [[seconds.at(slice.seconds), scale.at(value)]] : [];
    });
  const p50 = curve(({ p50Ms }) => p50Ms, latency);
  const p99 = curve(({ p99Ms }) => p99Ms, latency);
  return chart(batchBottom + 44, title, `${note}. Latency over time, requests a second, and batch sizes.`, [
    text(16, 22, title, { class: 'head' }),
    text(16, 40, note, { class: 'dim' }),
    ...levels(latency, 'ms'),
    ...levels(rate, '/s'),
    ...seconds.ticks.flatMap((tick) => [
      line(seconds.at(tick), rateBottom, seconds.at(tick), rateBottom + 4),
      text(seconds.at(tick), rateBottom + 17, `${figure(tick)} s`, { 'text-anchor': 'middle', class: 'dim' }),
    ]),
    ...(objectiveMs === undefined ? [] : objective(latency.at(objectiveMs), objectiveMs)),
    path(
      curve((slice) => slice.rate, rate),
      'ink',
    ),
    path(p50, 'down'),
    path(p99, 'up'),
    ...ending(p99, 'p99', 'up'),
    ...ending(p50, 'p50', 'down'),
    ...bars(batches),
  ]);
}

function levels(scale: Scale, unit: string): Markup[] {
  return scale.ticks.flatMap((tick) => [
    line(left, scale.at(tick), right, scale.at(tick)),
    text(left - 8, scale.at(tick) + 4, `${figure(tick)} ${unit}`, { 'text-anchor': 'end', class: 'dim' }),
  ]);
}

function objective(y: number, ms: number): Markup[] {
  return [
    line(left, y, right, y, { class: 'strong', 'stroke-dasharray': '5 4' }),
    text(left + 6, y - 5, `objective: ${figure(ms)} ms`, { class: 'clear' }),
  ];
}

function path(points: readonly Point[], side: 'up' | 'down' | 'ink'): Markup {
  const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
  return element('path', { d, style: `stroke:var(--${side});fill:none;stroke-width:1.6` });
}

function ending(points: readonly Point[], name: string, side: 'up' | 'down'): Markup[] {
  const last = points.at(-1);
  return last ? [text(last[0] + 6, last[1] + 4, name, { class: side, 'font-weight': 600 })] : [];
}

function bars(batches: SimulationSubject['batches']): Markup[] {
  const most = Math.max(1, ...batches.map(({ count }) => count));
  const all = batches.reduce((sum, { count }) => sum + count, 0) || 1;
  const width = (right - left) / Math.max(1, batches.length);
  const every = Math.ceil(batches.length / 16);
  return [
    text(left, batchTop - 12, 'Rows of a batch'),
    line(left, batchBottom, right, batchBottom),
    ...batches.flatMap(({ rows, count }, i) => {
      const height = (count / most) * (batchBottom - batchTop);
      const x = left + i * width;
      const bar = { class: 'down', x: x + 1, y: batchBottom - height, width: Math.max(0.5, width - 2), height };
      const hint = `${rows}: ${figure((100 * count) / all, 3)} % of the batches`;
      return [
        element('rect', bar, element('title', {}, hint)),
        ...(i % every === 0
          ? [text(x + width / 2, batchBottom + 17, String(rows), { 'text-anchor': 'middle', class: 'dim' })]
          : []),
      ];
    }),
  ];
}
