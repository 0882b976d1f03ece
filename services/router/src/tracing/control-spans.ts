import type { OpenCallSpan } from '@shoal/rpc';
import type { Tracing } from '@shoal/telemetry';

/** Ask for predictions, and so are sampled as they are. */
const explanations = /^shoal\.explain\.v1\.Explainability\/Explain/;

/** Spans of the calls that are no requests for a prediction: those whose caller records. The others are many, and say little. */
export function controlSpans(tracing: Tracing): OpenCallSpan {
  const { door, propagator } = tracing;
  const own = tracing.tracer('router');
  return (method, call, at) => {
    if (explanations.test(method)) return door.open(method, '', call, at);
    const parent = propagator.extract(call);
    return parent === 'unsampled' ? undefined : own.start(method, 'server', parent, at);
  };
}
