import type { Clock } from '@shoal/core';
import { ShoalError } from '@shoal/core';
import type { StoredBackground } from '@shoal/bus';
import { type CallContext, type Handlers, type StreamCall, callSpan, traceHeaders } from '@shoal/rpc';
import type { Propagator } from '@shoal/telemetry';
import type { BackgroundStore } from './backgrounds/background-store';
import type { ExplainCall } from './explain-call';
import type { Explainer } from './explainer';
import { methods } from './methods/methods';
import type { ExplainRequestMessage, PutBackgroundMessage } from './requests/messages';
import { invalid } from './requests/refuse';
import { tensorsOf } from './requests/tensor';

export interface HandlerParts {
  readonly explainer: Explainer;
  readonly backgrounds: BackgroundStore;
  readonly clock: Clock;
  /** Undefined: nothing is recorded. */
  readonly propagator?: Propagator | undefined;
}

/** Who asks: what goes on to the model with each prediction. */
const forwardedHeaders = ['authorization', 'x-api-key'] as const;

/** shoal.explain.v1.Explainability. */
export function explainHandlers({ explainer, backgrounds, propagator }: HandlerParts): Handlers {
  const contextOf = (call: CallContext) => callContext(call, propagator);
  return {
    Explain: (request: ExplainRequestMessage, call: CallContext) => explainer.explain(request, contextOf(call)),
    async ExplainStream(request: ExplainRequestMessage, call: StreamCall<never, object>) {
      // A client that does not read gets fewer partial answers, not a queue of them.
      let full = false;
      call.onDrain(() => (full = false));
      const partial = (response: object) => {
        if (!full) full = !call.write(response);
      };
      call.write(await explainer.explain(request, { ...contextOf(call), partial }));
      call.end();
    },
    ExplainBatch: (request: ExplainRequestMessage, call: CallContext) =>
      explainer.explainBatch(request, contextOf(call)),
    ListMethods: () => ({
      methods: [
        {
          name: 'auto',
          summary: 'chooses by the model, the input, the number of features and the budget',
          needs: 'predictions',
          answers: 'values',
        },
        ...methods.map(({ name, summary, needs, answers = 'values' }) => ({ name, summary, needs, answers })),
      ],
    }),
    ListBackgrounds: ({ model }: { readonly model: string }) => ({
      backgrounds: backgrounds.list(model).map(({ about, source }) => describe(about, source)),
    }),
    async PutBackground({ name, model, rows }: PutBackgroundMessage) {
      if (!rows) throw invalid('the request has no rows');
      const about = await backgrounds.put(name, model, tensorsOf(rows, 'rows'));
      return describe(about, 'stored');
    },
    async DeleteBackground({ name }: { readonly name: string }) {
      await backgrounds.delete(name);
      return {};
    },
  };
}

function describe({ name, model, digest, rows, inputs }: StoredBackground, source: string): object {
  return { name, model, sha256: digest, rows, inputs, source };
}

function callContext(call: CallContext, propagator: Propagator | undefined): ExplainCall {
  const abort = new AbortController();
  call.onCancel(() => abort.abort(new ShoalError('CANCELLED', 'the call was cancelled')));
  const headers = traceHeaders(call, propagator);
  for (const name of forwardedHeaders) {
    const value = call.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return { headers, deadline: call.deadline, signal: abort.signal, span: callSpan(call) };
}
