import { dashboard } from './dashboard';
import { heatMap, lines, stat } from './panels';
import { buckets, ofModel, ofProcess, percentiles, quantile, rate, total, tritonSeconds } from './queries';

const calls = 'rpc_server_call_duration_seconds_count';
const requests = 'shoal_request_duration_seconds';

/** What callers get, and how near the limits are. */
export const overview = dashboard({
  name: 'overview',
  title: 'overview',
  description: 'Traffic, errors, latency and saturation of all that Shoal serves.',
  choices: ['model', 'instance'],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Requests',
          description: 'Inference requests answered in a second, by all routers.',
          unit: 'reqps',
          width: 4,
          query: { expr: rate(`${requests}_count`, ofModel) },
        }),
        stat({
          title: 'Not answered',
          description:
            'Share of inference calls that ended in a status which says that Shoal could not serve them. What the caller did wrong does not count.',
          unit: 'percentunit',
          width: 4,
          decimals: 2,
          limits: [0.001, 0.01],
          query: { expr: 'shoal:slo_availability:error_ratio_rate5m' },
        }),
        stat({
          title: 'Latency, 99 of 100',
          description: 'From the moment that a router has a request until it has handed the answer over.',
          unit: 's',
          width: 4,
          query: { expr: quantile(0.99, requests, ofModel) },
        }),
        stat({
          title: 'In flight',
          description: 'Requests that routers have accepted and not answered yet.',
          unit: 'short',
          width: 4,
          query: { expr: total('shoal_requests_in_flight', ofProcess) },
        }),
        stat({
          title: 'Error budget burnt',
          description:
            'How many times faster than the objective allows errors came in the last hour: at 1 the budget of 30 days lasts 30 days, at 14.4 two.',
          unit: 'none',
          width: 4,
          decimals: 1,
          limits: [1, 6],
          query: { expr: 'shoal:slo_availability:error_ratio_rate1h / (1 - shoal:slo_availability:objective)' },
        }),
        stat({
          title: 'Alerts',
          description: 'Alerts that fire; docs/observability.md says what to do about each.',
          unit: 'none',
          width: 4,
          limits: [1, 1],
          query: { expr: 'count(ALERTS{alertname=~"Shoal.*", alertstate="firing"}) or vector(0)' },
        }),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        lines({
          title: 'Requests by model',
          description: 'Inference requests answered in a second.',
          unit: 'reqps',
          width: 8,
          stacked: true,
          queries: [{ expr: rate(`${requests}_count`, ofModel, 'model', 'version'), legend: '{{model}} {{version}}' }],
        }),
        lines({
          title: 'Rows by model',
          description: "Batch items answered in a second (Triton's inference count).",
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [{ expr: rate('nv_inference_count', ofModel, 'model', 'version'), legend: '{{model}} {{version}}' }],
        }),
        lines({
          title: 'Calls by method',
          description: 'All RPCs, ended in a second. A stream is one call, however many requests it brings.',
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [{ expr: rate(calls, ofProcess, 'rpc_method'), legend: '{{rpc_method}}' }],
        }),
      ],
    },
    {
      title: 'Errors',
      panels: [
        lines({
          title: 'Calls that failed, by status',
          description: 'RPCs that ended in another status than OK, in a second.',
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [
            {
              expr: rate(calls, `${ofProcess}, rpc_status_code!="OK"`, 'rpc_status_code'),
              legend: '{{rpc_status_code}}',
            },
          ],
        }),
        lines({
          title: 'Requests shed, by reason',
          description: 'Requests refused, or given up before a model saw them, in a second.',
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [{ expr: rate('shoal_requests_shed_total', ofProcess, 'reason'), legend: '{{reason}}' }],
        }),
        lines({
          title: 'Failed requests by model',
          description: "Triton's count of failed requests, and its reason.",
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [
            {
              expr: rate('nv_inference_request_failure', ofModel, 'model', 'reason'),
              legend: '{{model}} {{reason}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Latency',
      panels: [
        lines({
          title: 'Latency at the router',
          description:
            'From the moment that a router has a request until it has handed the answer over. Points are traces.',
          unit: 's',
          width: 8,
          queries: percentiles(requests, ofModel),
        }),
        heatMap({
          title: 'Latency, all of it',
          description: 'How many requests took how long. Points are traces.',
          unit: 's',
          width: 8,
          query: buckets(requests, ofModel),
        }),
        lines({
          title: 'Where the time goes',
          description:
            "Mean of a request, from Triton's counters: waiting in the queue, getting its tensors to the model, the model, getting the answer out.",
          unit: 's',
          width: 8,
          stacked: true,
          queries: [
            { expr: tritonSeconds('nv_inference_queue_duration_us', ofModel), legend: 'queue' },
            { expr: tritonSeconds('nv_inference_compute_input_duration_us', ofModel), legend: 'input' },
            { expr: tritonSeconds('nv_inference_compute_infer_duration_us', ofModel), legend: 'model' },
            { expr: tritonSeconds('nv_inference_compute_output_duration_us', ofModel), legend: 'output' },
          ],
        }),
      ],
    },
    {
      title: 'Saturation',
      panels: [
        lines({
          title: 'Runners at work',
          description: 'Share of the time that the runners of a model computed. Above 0.8 queues grow quickly.',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            {
              expr: `${rate('shoal_runner_busy_seconds_total', ofModel, 'model', 'version')} / ${total('shoal_runners', 'model=~"$model", version=~"$version", state="serving"', 'model', 'version')}`,
              legend: '{{model}} {{version}}',
            },
          ],
        }),
        lines({
          title: 'Requests that wait',
          description: 'Length of the queues.',
          unit: 'short',
          width: 8,
          stacked: true,
          queries: [{ expr: total('shoal_queue_depth', ofModel, 'model', 'version'), legend: '{{model}} {{version}}' }],
        }),
        lines({
          title: 'In flight',
          description: 'Requests that each router has accepted and not answered yet.',
          unit: 'short',
          width: 8,
          queries: [{ expr: total('shoal_requests_in_flight', ofProcess, 'instance'), legend: '{{instance}}' }],
        }),
        lines({
          title: 'Bytes in flight',
          description: 'What those requests hold of memory; beyond a bound more are refused.',
          unit: 'bytes',
          width: 12,
          queries: [{ expr: total('shoal_request_bytes_in_flight', ofProcess, 'instance'), legend: '{{instance}}' }],
        }),
        lines({
          title: 'Processors',
          description: 'Processors that each process keeps busy.',
          unit: 'none',
          width: 12,
          stacked: true,
          queries: [
            {
              expr: rate('process_cpu_seconds_total', `${ofProcess}, job=~".*shoal.*"`, 'service', 'instance'),
              legend: '{{service}} {{instance}}',
            },
          ],
        }),
      ],
    },
  ],
});
