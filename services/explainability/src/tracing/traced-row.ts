import { toShoalError } from '@shoal/core';
import type { Propagator, Span, Tracer } from '@shoal/telemetry';
import type { ExplainerDeps } from '../explain-call';
import { explainRow } from '../explain-row';
import type { RowParts } from '../row-context';

/** What explanations are recorded with. */
export interface ExplainTracing {
  readonly tracer: Tracer;
  readonly propagator: Propagator;
}

/** As `explainRow`, with a span of its own under the call's, and the predictions under that, where the call is recorded. */
export async function tracedRow(parts: RowParts, deps: ExplainerDeps): Promise<object> {
  const { tracing, clock } = deps;
  const span = tracing?.tracer.start('explain', 'internal', parts.call.span, clock.now());
  if (!tracing || !span) return explainRow(parts, deps);
  const headers: Record<string, string> = {};
  tracing.propagator.inject(span, (name, value) => {
    headers[name] = value;
  });
  span.set('triton.model_name', parts.message.model_name);
  try {
    const door = { ...parts.door, headers: { ...parts.door.headers, ...headers } };
    const response = await explainRow({ ...parts, door }, deps);
    describe(span, response as Explained);
    return response;
  } catch (thrown) {
    const { code, message } = toShoalError(thrown);
    if (code !== 'CANCELLED') span.fail(code, message);
    throw thrown;
  } finally {
    span.end(clock.now());
  }
}

/** What is told of a shoal.explain.v1.ExplainResponse. */
interface Explained {
  readonly model_version: string;
  readonly method: string;
  readonly stop_reason: string;
  readonly features: readonly object[];
  readonly usage: { readonly evaluations: number; readonly rows: number; readonly requests: number };
}

function describe(span: Span, { model_version: version, method, stop_reason: stop, features, usage }: Explained): void {
  span.set('triton.model_version', Number(version));
  span.set('shoal.explain.method', method);
  span.set('shoal.explain.features', features.length);
  span.set('shoal.explain.evaluations', usage.evaluations);
  span.set('shoal.explain.rows', usage.rows);
  span.set('shoal.explain.requests', usage.requests);
  if (stop !== '') span.set('shoal.explain.stop_reason', stop);
}
