import type { Explanation } from '@shoal/report';
import type { ExplainResponse } from './messages';
import { toFound } from './to-found';

/** The server's answer as charts take it. */
export function toExplanation(answer: ExplainResponse, shown: readonly string[]): Explanation {
  const { usage, link, background, timings } = answer;
  return {
    model: answer.model_name,
    version: answer.model_version,
    method: answer.method,
    reason: answer.reason,
    partial: answer.partial,
    features: answer.features.map((feature, at) => ({ ...feature, value: shown[at] ?? '' })),
    outputs: answer.outputs.map((one) => ({
      ...{ output: one.output, index: one.index, label: one.label, values: one.values },
      standardErrors: one.standard_errors.length === 0 ? undefined : one.standard_errors,
      ...{ baseValue: one.base_value, outputValue: one.output_value, additivityGap: one.additivity_gap },
      interactions: one.interactions.length === 0 ? undefined : one.interactions,
      map: one.map ?? undefined,
    })),
    ...{ exact: answer.exact, converged: answer.converged, stopReason: answer.stop_reason, seed: answer.seed },
    ...{ evaluations: usage?.evaluations ?? 0, rows: usage?.rows ?? 0, requests: usage?.requests ?? 0 },
    link: {
      name: link?.function === 'LOGIT' ? 'logit' : 'identity',
      ...{ epsilon: link?.epsilon ?? 0, clamped: link?.clamped ?? 0 },
    },
    background: background ?? undefined,
    warnings: answer.warnings,
    totalMs: timings?.total_ms ?? 0,
    quality: answer.quality.map(({ standard_error: standardError, ...one }) => ({ ...one, standardError })),
    ...toFound(answer),
  };
}
