/** A question to Prometheus, and what its answers are called. */
export interface Query {
  readonly expr: string;
  /** With `{{label}}` for the value of a label; Grafana names a series by all of its labels where it is not there. */
  readonly legend?: string;
  /** Points of single requests that were traced, each with a link to its trace. */
  readonly exemplars?: true;
  /** The answers are a histogram's buckets, one for each `le`. */
  readonly buckets?: true;
}

/** What the dashboard's variables choose, for metrics of a model. */
export const ofModel = 'model=~"$model", version=~"$version", instance=~"$instance"';

/** What the dashboard's variables choose, for metrics of a process. */
export const ofProcess = 'instance=~"$instance"';

/** How much a counter grows in a second, added up by these labels. */
export function rate(counter: string, selector: string, ...by: readonly string[]): string {
  return `${sum(by)} (rate(${counter}{${selector}}[$__rate_interval]))`;
}

/** A gauge, added up by these labels. */
export function total(gauge: string, selector: string, ...by: readonly string[]): string {
  return `${sum(by)} (${gauge}{${selector}})`;
}

/** The value that this share of what a histogram saw lies below. */
export function quantile(share: number, histogram: string, selector: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket`, selector, 'le', ...by)})`;
}

/** What most, nearly all and all but the worst see of a histogram. */
export function percentiles(histogram: string, selector: string): Query[] {
  return [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, histogram, selector),
    legend: `p${share * 100}`,
    exemplars: true,
  }));
}

/** The mean of what a histogram saw. */
export function mean(histogram: string, selector: string, ...by: readonly string[]): string {
  return `${rate(`${histogram}_sum`, selector, ...by)} / ${rate(`${histogram}_count`, selector, ...by)}`;
}

/** How often a histogram saw what, for a heat map. */
export function buckets(histogram: string, selector: string): Query {
  const expr = `sum by (le) (increase(${histogram}_bucket{${selector}}[$__rate_interval]))`;
  return { expr, legend: '{{le}}', buckets: true, exemplars: true };
}

/**
 * One of Triton's durations, the mean for a request in seconds: Triton counts microseconds and requests apart. Counters are added up
 * before they are divided, so that all answers count alike.
 */
export function tritonSeconds(duration: string, selector: string, ...by: readonly string[]): string {
  return `${rate(duration, selector, ...by)} / ${rate('nv_inference_request_success', selector, ...by)} / 1e6`;
}

function sum(by: readonly string[]): string {
  return by.length === 0 ? 'sum' : `sum by (${by.join(', ')})`;
}
