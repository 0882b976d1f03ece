import { dashboard } from './dashboard';
import { bars, heatMap, lines } from './panels';
import { buckets, mean, ofModel, percentiles, quantile, rate, total } from './queries';

const byModel = ['model', 'version'] as const;
const legend = '{{model}} {{version}}';
/** Figures hold for rows from so many bytes on. */
const learnt = `${legend} ({{shape}})`;

/** What the dashboard's variables choose, for what is counted by model alone. */
const ofRules = 'model=~"$model", instance=~"$instance"';

/** Rows at which the learned curve is drawn. */
const sizes = [1, 2, 4, 8, 16, 32, 64];

/** What one model does with what it is asked: waiting, batching, computing. */
export const model = dashboard({
  name: 'model',
  title: 'per model',
  description: 'Queue, batches and computing of a model, and what the scheduler has learned of it. Choose one above.',
  choices: ['model', 'instance'],
  rows: [
    {
      title: 'Requests',
      panels: [
        lines({
          title: 'Answered and failed',
          description: "Triton's counts, in a second.",
          unit: 'reqps',
          width: 8,
          queries: [
            { expr: rate('nv_inference_request_success', ofModel), legend: 'answered' },
            { expr: rate('nv_inference_request_failure', ofModel, 'reason'), legend: '{{reason}}' },
          ],
        }),
        lines({
          title: 'Latency at the router',
          description:
            'From the moment that a router has a request until it has handed the answer over. Points are traces.',
          unit: 's',
          width: 8,
          queries: percentiles('shoal_request_duration_seconds', ofModel),
        }),
        lines({
          title: 'First answer',
          description: "Time until the first response of a request, mean (Triton's histogram, for models that stream).",
          unit: 'ms',
          width: 8,
          queries: [{ expr: mean('nv_inference_first_response_histogram_ms', ofModel, ...byModel), legend }],
        }),
      ],
    },
    {
      title: 'Queue',
      panels: [
        lines({
          title: 'Time in the queue',
          description: 'From the moment that batching has a request until it gives it to a runner. Points are traces.',
          unit: 's',
          width: 8,
          queries: percentiles('shoal_queue_time_seconds', ofModel),
        }),
        lines({
          title: 'Waiting',
          description: 'Requests that wait; `pending` is what Triton counts.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: total('shoal_queue_depth', ofModel, ...byModel), legend },
            { expr: total('nv_inference_pending_request_count', ofModel, ...byModel), legend: `${legend} pending` },
          ],
        }),
        lines({
          title: 'Longest wait of those that wait',
          description: 'Age of the oldest request in the queue.',
          unit: 's',
          width: 8,
          queries: [{ expr: `max by (model, version) (shoal_queue_oldest_seconds{${ofModel}})`, legend }],
        }),
        lines({
          title: 'Slack at dispatch',
          description:
            'Time that was left until the deadline when a request was given to a runner: what the worst one in 20 and the median had. Below the time that the model takes, answers are late.',
          unit: 's',
          width: 12,
          queries: [0.05, 0.5].map((share) => ({
            expr: quantile(share, 'shoal_deadline_slack_seconds', ofModel, ...byModel),
            legend: `${legend} p${share * 100}`,
          })),
        }),
        lines({
          title: 'Requests shed, by reason',
          description: 'Requests refused, or given up before the model saw them, in a second.',
          unit: 'ops',
          width: 12,
          stacked: true,
          queries: [{ expr: rate('shoal_requests_shed_total', ofRules, 'reason'), legend: '{{reason}}' }],
        }),
      ],
    },
    {
      title: 'Batches',
      panels: [
        heatMap({
          title: 'Rows of a batch',
          description: 'How many batches had how many rows.',
          unit: 'none',
          width: 12,
          query: buckets('shoal_batch_rows', ofModel),
        }),
        heatMap({
          title: 'Requests of a batch',
          description: 'How many batches were made of how many requests.',
          unit: 'none',
          width: 12,
          query: buckets('shoal_batch_requests', ofModel),
        }),
        lines({
          title: 'Mean batch',
          description:
            "Rows of a batch: of Shoal's histogram, and as Triton's counters have it (inferences by executions).",
          unit: 'none',
          width: 12,
          queries: [
            { expr: mean('shoal_batch_rows', ofModel, ...byModel), legend },
            {
              expr: `${rate('nv_inference_count', ofModel, ...byModel)} / ${rate('nv_inference_exec_count', ofModel, ...byModel)}`,
              legend: `${legend} (nv)`,
            },
          ],
        }),
        lines({
          title: 'Batches in a second',
          description: 'Executions of the model.',
          unit: 'ops',
          width: 12,
          queries: [{ expr: rate('nv_inference_exec_count', ofModel, ...byModel), legend }],
        }),
      ],
    },
    {
      title: 'Computing',
      panels: [
        lines({
          title: 'Time of a batch',
          description: 'Of the runs of the model. Points are traces.',
          unit: 's',
          width: 12,
          queries: percentiles('shoal_compute_time_seconds', ofModel),
        }),
        lines({
          title: 'Runners at work',
          description: 'Share of the time that each runner computed.',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            {
              expr: `sum by (model, version, instance, runner_slot) (rate(shoal_runner_busy_seconds_total{${ofModel}}[$__rate_interval]))`,
              legend: `${legend} {{instance}} {{runner_slot}}`,
            },
          ],
        }),
      ],
    },
    {
      title: 'Versions side by side',
      panels: [
        lines({
          title: 'Canary: requests and failures',
          description: 'Of the requests that fall under traffic rules, in a second, by side: stable or canary.',
          unit: 'reqps',
          width: 8,
          queries: [
            { expr: rate('shoal_traffic_requests_total', ofRules, 'model', 'side'), legend: '{{model}} {{side}}' },
            {
              expr: rate('shoal_traffic_failed_total', ofRules, 'model', 'side'),
              legend: '{{model}} {{side}} failed',
            },
            { expr: rate('shoal_traffic_fallbacks_total', ofRules, 'model'), legend: '{{model}} fallen back' },
          ],
        }),
        lines({
          title: 'Canary: mean latency',
          description: 'From acceptance to answer, of the answered ones, by side.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: `${rate('shoal_traffic_answer_seconds_total', ofRules, 'model', 'side')} / ${rate('shoal_traffic_answered_total', ofRules, 'model', 'side')}`,
              legend: '{{model}} {{side}}',
            },
          ],
        }),
        lines({
          title: 'Shadow',
          description:
            'What came of copies of requests that a shadow version got, in a second. `different` is what to look at.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: rate('shoal_traffic_shadow_total', ofRules, 'model', 'result'), legend: '{{model}} {{result}}' },
          ],
        }),
      ],
    },
    {
      title: 'What the scheduler has learned',
      panels: [
        bars({
          title: 'Time of a batch by its rows',
          description:
            'alpha + beta × rows, which the scheduler has learned from the batches that there were; it plans with it. Where bars hardly grow, larger batches are nearly free. In brackets: the bytes of a row from which on it holds.',
          unit: 's',
          width: 12,
          queries: sizes.map((rows) => ({
            expr: `avg by (model, version, shape) (shoal_latency_model_alpha_seconds{${ofModel}} + ${rows} * shoal_latency_model_beta_seconds{${ofModel}})`,
            legend: `${learnt}: ${rows} rows`,
          })),
        }),
        lines({
          title: 'Learned alpha and beta',
          description: 'alpha: what any batch takes. beta: what each row adds.',
          unit: 's',
          width: 12,
          logarithmic: true,
          queries: [
            {
              expr: `avg by (model, version, shape) (shoal_latency_model_alpha_seconds{${ofModel}})`,
              legend: `${learnt} alpha`,
            },
            {
              expr: `avg by (model, version, shape) (shoal_latency_model_beta_seconds{${ofModel}})`,
              legend: `${learnt} beta`,
            },
          ],
        }),
      ],
    },
  ],
});
