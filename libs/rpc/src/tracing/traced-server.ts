import { type Clock, ShoalError, toShoalError } from '@shoal/core';
import type { Span, Tracing } from '@shoal/telemetry';
import type { CallContext, Handlers, RpcServer, StreamCall } from '../server';
import { setCallSpan } from './call-span';
import { type ServerPlace, describeServerSpan, endServerSpan, rpcMethod, serverPlace } from './server-span';

/** Begins the span of a call; undefined: it is not recorded. @param method As `rpcMethod`. */
export type OpenCallSpan = (method: string, call: CallContext, at: number) => Span | undefined;

/** Spans of those calls whose callers record. @param service Whose they are. */
export function callersSpans(tracing: Tracing, service: string): OpenCallSpan {
  const tracer = tracing.tracer(service);
  return (method, call, at) => {
    const parent = tracing.propagator.extract(call);
    return parent === 'unsampled' ? undefined : tracer.start(method, 'server', parent, at);
  };
}

type Handler = (...args: readonly unknown[]) => unknown;

/**
 * A server whose calls have a span each, of kind SERVER, named by their method. Those that have a stream of requests are left as they
 * are, and those that are `exempt`: they have spans of their own.
 */
export function tracedServer(
  server: RpcServer,
  clock: Clock,
  open: OpenCallSpan,
  exempt: ReadonlySet<string> = new Set(),
): RpcServer {
  /** The first, for people. */
  let place: ServerPlace | undefined;
  const begin: Begin = (method, call) => {
    const span = open(method, call, clock.now());
    setCallSpan(call, span);
    if (span) describeServerSpan(span, method, place);
    return span;
  };
  return {
    addService(definition, handlers, options) {
      const traced = Object.entries(handlers).map(([name, handler]) => {
        const method = definition[name];
        if (!method || method.requestStream || exempt.has(method.path)) return [name, handler] as const;
        const unary = !method.responseStream;
        return [name, traceCall(rpcMethod(method.path), unary, handler as Handler, clock, begin)] as const;
      });
      server.addService(definition, Object.fromEntries(traced) as Handlers, options);
    },
    async listen(address, tls) {
      const port = await server.listen(address, tls);
      place ??= serverPlace(address, port);
      return port;
    },
    drain: (graceMs) => server.drain(graceMs),
  };
}

type Begin = (method: string, call: CallContext) => Span | undefined;

function traceCall(method: string, unary: boolean, handler: Handler, clock: Clock, begin: Begin): Handler {
  return (request, context) => {
    const call = context as CallContext;
    const span = begin(method, call);
    if (!span) return handler(request, call);
    const end = (error?: ShoalError) => endServerSpan(span, error, clock.now());
    let handed: CallContext = call;
    if (!unary) {
      handed = tellsItsEnd(call as StreamCall<never, unknown>, end);
      setCallSpan(handed, span);
    }
    let result: unknown;
    try {
      result = handler(request, handed);
    } catch (thrown) {
      end(toShoalError(thrown));
      throw thrown;
    }
    if (!(result instanceof Promise)) {
      if (unary) end();
      return result;
    }
    return result.then(
      (value: unknown) => {
        if (unary) end();
        return value;
      },
      (thrown: unknown) => {
        end(toShoalError(thrown));
        throw thrown;
      },
    );
  };
}

/** The same call; what ends it is told to `ended` as well, perhaps more than once. */
function tellsItsEnd(
  call: StreamCall<never, unknown>,
  ended: (error?: ShoalError) => void,
): StreamCall<never, unknown> {
  const cancelled = () => ended(new ShoalError('CANCELLED', 'the client does not wait for the answer any more'));
  call.onCancel(cancelled);
  const own: Pick<StreamCall<never, unknown>, 'end' | 'onCancel'> = {
    end(error) {
      call.end(error);
      ended(error);
    },
    onCancel(listener) {
      call.onCancel(() => {
        cancelled();
        listener();
      });
    },
  };
  return new Proxy(call, {
    get(target, key) {
      if (key === 'end' || key === 'onCancel') return own[key];
      const value: unknown = Reflect.get(target, key, target);
      // Its methods reach for what is private to it.
      return typeof value === 'function' ? (value as Handler).bind(target) : value;
    },
  });
}
