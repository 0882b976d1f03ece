import {
  type Counter,
  type Family,
  type Histogram,
  type MetricRegistry,
  failureSpec,
  shedSpec,
  shortSeconds,
  sizes,
} from '@shoal/telemetry';

const labels = ['model', 'version'] as const;

/** Triton's default, in milliseconds. */
const firstResponseMs = [100, 500, 2000, 5000] as const;

/** What batching measures. Names that begin with nv_ are Triton's, as are their meanings and units. */
export interface BatchingFamilies {
  readonly success: Family<Counter>;
  readonly failure: Family<Counter>;
  readonly inferences: Family<Counter>;
  readonly executions: Family<Counter>;
  readonly requestUs: Family<Counter>;
  readonly queueUs: Family<Counter>;
  readonly inputUs: Family<Counter>;
  readonly inferUs: Family<Counter>;
  readonly outputUs: Family<Counter>;
  readonly firstResponse: Family<Histogram>;
  readonly batchRows: Family<Histogram>;
  readonly batchRequests: Family<Histogram>;
  readonly queueTime: Family<Histogram>;
  readonly computeTime: Family<Histogram>;
  readonly slack: Family<Histogram>;
  readonly shed: Family<Counter>;
  readonly busy: Family<Counter>;
}

export function batchingFamilies(registry: MetricRegistry): BatchingFamilies {
  const counter = (name: string, help: string) => registry.counter({ name, help, labels });
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    registry.histogram({ name, help, labels, buckets });
  return {
    success: counter('nv_inference_request_success', 'Requests that were answered.'),
    failure: registry.counter(failureSpec),
    inferences: counter('nv_inference_count', 'Inferences: batch items of the requests that were answered.'),
    executions: counter('nv_inference_exec_count', 'Batches that were run.'),
    requestUs: counter(
      'nv_inference_request_duration_us',
      'Time of answered requests from acceptance to the end of their run, in microseconds.',
    ),
    queueUs: counter(
      'nv_inference_queue_duration_us',
      'Time that answered requests waited before their run, in microseconds.',
    ),
    inputUs: counter(
      'nv_inference_compute_input_duration_us',
      'Time that runs took to gather inputs, counted for each answered request, in microseconds.',
    ),
    inferUs: counter(
      'nv_inference_compute_infer_duration_us',
      'Time that the model took, counted for each answered request, in microseconds.',
    ),
    outputUs: counter(
      'nv_inference_compute_output_duration_us',
      'Time that runs took to hand out outputs, counted for each answered request, in microseconds.',
    ),
    firstResponse: histogram(
      'nv_inference_first_response_histogram_ms',
      'Time of answered requests until their response, in milliseconds.',
      firstResponseMs,
    ),
    batchRows: histogram('shoal_batch_rows', 'Batch items of the batches that were run.', sizes),
    batchRequests: histogram('shoal_batch_requests', 'Requests of the batches that were run.', sizes),
    queueTime: histogram(
      'shoal_queue_time_seconds',
      'How long answered requests waited before their run.',
      shortSeconds,
    ),
    computeTime: histogram(
      'shoal_compute_time_seconds',
      'How long runs took, with gathering inputs and handing out outputs.',
      shortSeconds,
    ),
    slack: histogram(
      'shoal_deadline_slack_seconds',
      'Time left until the deadline, of requests that have one, when they were given to a runner.',
      shortSeconds,
    ),
    shed: registry.counter(shedSpec),
    busy: registry.counter({
      name: 'shoal_runner_busy_seconds_total',
      help: 'Time that a runner has run batches. Slots are numbered from 0; a runner that is started again has the first that is free.',
      labels: [...labels, 'runner_slot'],
    }),
  };
}
