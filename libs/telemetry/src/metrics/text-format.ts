import { type Exemplar, Histogram } from './histogram';
import { spanIdOf, traceIdOf } from '../tracing/span-context';
import type { AnyFamily, MetricRegistry } from './registry';

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

/** https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** All metrics in Prometheus' text format. */
export function renderPrometheus(registry: MetricRegistry): string {
  const lines: string[] = [];
  for (const family of registry.families()) {
    const { name, help } = family.spec;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${family.kind}`);
    appendSamples(lines, family, noExemplar);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * All metrics in OpenMetrics' text format, with exemplars. There a counter's name ends in `_total`; Triton's do not, and are of
 * unknown type, so that they keep their names.
 */
export function renderOpenMetrics(registry: MetricRegistry): string {
  const lines: string[] = [];
  for (const family of registry.families()) {
    const { name, help } = family.spec;
    const isTotal = name.endsWith('_total');
    const shown = family.kind === 'counter' && isTotal ? name.slice(0, -'_total'.length) : name;
    const kind = family.kind === 'counter' && !isTotal ? 'unknown' : family.kind;
    lines.push(`# HELP ${shown} ${escapeLabel(help)}`, `# TYPE ${shown} ${kind}`);
    appendSamples(lines, family, showExemplar);
  }
  lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

type ShowExemplar = (exemplar: Exemplar | undefined) => string;

const noExemplar: ShowExemplar = () => '';

function showExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { context, value, epochMs } = exemplar;
  const labels = `trace_id="${traceIdOf(context)}",span_id="${spanIdOf(context)}"`;
  return ` # {${labels}} ${number(value)} ${(epochMs / 1000).toFixed(3)}`;
}

function appendSamples(lines: string[], family: AnyFamily, show: ShowExemplar): void {
  const { labels, spec } = family;
  for (const { values, instrument } of family.sets()) {
    const pairs = values.map((value, at) => `${labels[at] ?? ''}="${escapeLabel(value)}"`).join(',');
    if (instrument instanceof Histogram) appendHistogram(lines, spec.name, pairs, instrument, show);
    else lines.push(`${spec.name}${braced(pairs)} ${number(instrument.value)}`);
  }
}

function appendHistogram(lines: string[], name: string, pairs: string, histogram: Histogram, show: ShowExemplar): void {
  const { bounds, counts } = histogram;
  const start = pairs === '' ? `${name}_bucket{le="` : `${name}_bucket{${pairs},le="`;
  const ends = bucketEnds(bounds);
  let count = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    count += counts[bucket] ?? 0;
    lines.push(start + (ends[bucket] ?? '') + count + show(histogram.exemplar(bucket)));
  }
  lines.push(`${name}_sum${braced(pairs)} ${number(histogram.sum)}`, `${name}_count${braced(pairs)} ${count}`);
}

/** Of the same bounds, which many histograms have. To write a number in decimal is what takes the time where there are many models. */
const knownEnds = new WeakMap<readonly number[], readonly string[]>();

function bucketEnds(bounds: readonly number[]): readonly string[] {
  let ends = knownEnds.get(bounds);
  if (ends === undefined) {
    ends = [...bounds, undefined].map((bound) => `${bucketBound(bound)}"} `);
    knownEnds.set(bounds, ends);
  }
  return ends;
}

/** The same in both formats, so that it is one series whichever a scraper asks for: OpenMetrics wants 1.0, not 1. */
function bucketBound(bound: number | undefined): string {
  if (bound === undefined) return '+Inf';
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function braced(pairs: string): string {
  return pairs === '' ? '' : `{${pairs}}`;
}

function number(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
