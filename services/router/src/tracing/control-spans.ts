import { type OpenCallSpan, callersSpans } from '@shoal/rpc';
import type { Tracing } from '@shoal/telemetry';

/** Ask for predictions, and so are sampled as they are. */
const explanations = /^shoal\.explain\.v1\.Explainability\/Explain/;

/** Spans of the calls that are no requests for a prediction: those whose caller records. The others are many, and say little. */
export function controlSpans(tracing: Tracing): OpenCallSpan {
  const asked = callersSpans(tracing, 'router');
  return (method, call, at) =>
    explanations.test(method) ? tracing.door.open(method, '', call, at) : asked(method, call, at);
}
