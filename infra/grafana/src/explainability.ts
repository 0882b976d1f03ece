import { dashboard } from './dashboard';
import { lines, stat } from './panels';
import { mean, ofProcess, quantile, rate, total } from './queries';

const explanations = 'shoal_explanations_total';
const duration = 'shoal_explanation_duration_seconds';
const evaluations = 'shoal_explanation_evaluations_total';
const predictions = 'rpc_client_call_duration_seconds';

/** What explanations are asked for, what they take and what they ask of the models. */
export const explainability = dashboard({
  name: 'explainability',
  title: 'explainability',
  description: 'Explanations by method: how many, how long, how many predictions they take, how many fail.',
  choices: ['instance'],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Explanations',
          description: 'Ended in a minute.',
          unit: 'cpm',
          width: 6,
          decimals: 1,
          query: { expr: `60 * ${rate(explanations, ofProcess)}` },
        }),
        stat({
          title: 'Failed',
          description: 'Share of explanations that ended in another status than OK, in the time that is shown.',
          unit: 'percentunit',
          width: 6,
          decimals: 1,
          limits: [0.01, 0.1],
          query: {
            expr: `sum(increase(${explanations}{${ofProcess}, status!="OK"}[$__range])) / sum(increase(${explanations}{${ofProcess}}[$__range]))`,
          },
        }),
        stat({
          title: 'Duration, 95 of 100',
          description: 'From the call to the explanation.',
          unit: 's',
          width: 6,
          query: { expr: quantile(0.95, duration, ofProcess) },
        }),
        stat({
          title: 'Predictions for one explanation',
          description: 'Rows that models are asked to predict, for each explanation, mean.',
          unit: 'none',
          width: 6,
          decimals: 0,
          query: { expr: `${rate(evaluations, ofProcess)} / ${rate(explanations, ofProcess)}` },
        }),
      ],
    },
    {
      title: 'Explanations',
      panels: [
        lines({
          title: 'In progress',
          description: 'Calls that each instance works on; beyond --explain-max-concurrent they are refused.',
          unit: 'none',
          width: 8,
          queries: [{ expr: total('shoal_explanations_in_progress', ofProcess, 'instance'), legend: '{{instance}}' }],
        }),
        lines({
          title: 'By method',
          description: 'Explanations that ended, in a minute.',
          unit: 'cpm',
          width: 8,
          stacked: true,
          queries: [{ expr: `60 * ${rate(explanations, ofProcess, 'method')}`, legend: '{{method}}' }],
        }),
        lines({
          title: 'By status',
          description: 'Explanations that ended in another status than OK, in a minute.',
          unit: 'cpm',
          width: 8,
          stacked: true,
          queries: [
            {
              expr: `60 * ${rate(explanations, `${ofProcess}, status!="OK"`, 'method', 'status')}`,
              legend: '{{method}} {{status}}',
            },
          ],
        }),
        lines({
          title: 'Duration, mean',
          description: 'From the call to the explanation.',
          unit: 's',
          width: 12,
          queries: [{ expr: mean(duration, ofProcess, 'method'), legend: '{{method}}' }],
        }),
        lines({
          title: 'Duration, 95 of 100',
          description: 'From the call to the explanation.',
          unit: 's',
          width: 12,
          queries: [{ expr: quantile(0.95, duration, ofProcess, 'method'), legend: '{{method}}' }],
        }),
      ],
    },
    {
      title: 'What it asks of the models',
      panels: [
        lines({
          title: 'Predictions asked for',
          description: 'Rows that models are asked to predict, in a second.',
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [{ expr: rate(evaluations, ofProcess, 'method'), legend: '{{method}}' }],
        }),
        lines({
          title: 'Predictions for one explanation',
          description: 'Rows that models are asked to predict, for each explanation, mean.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: `${rate(evaluations, ofProcess, 'method')} / ${rate(explanations, ofProcess, 'method')}`,
              legend: '{{method}}',
            },
          ],
        }),
        lines({
          title: "Calls of models, as explainability's client sees them",
          description: 'Duration of its calls at the routers, 95 of 100, by status.',
          unit: 's',
          width: 8,
          queries: [{ expr: quantile(0.95, predictions, ofProcess, 'rpc_status_code'), legend: '{{rpc_status_code}}' }],
        }),
      ],
    },
  ],
});
