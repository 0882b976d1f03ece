import { type Clock, ShoalError } from '@shoal/core';
import {
  type CallContext,
  type CallOptions,
  type ClientStream,
  type Handlers,
  type MethodDefinition,
  type ServiceDefinition,
  type StreamCall,
  traceHeaders,
} from '@shoal/rpc';
import type { Propagator } from '@shoal/telemetry';
import type { ExplainPeer, ExplainPeers } from '../explain/explain-peers';

type OptionsOf = (call: CallContext) => CallOptions;
type BytesMethod = MethodDefinition<Buffer, Buffer>;

/** Who asks. */
const forwarded = ['authorization', 'x-api-key'] as const;

/** shoal.explain.v1.Explainability: each call is handed on as it is, with its time left and who makes it. */
export function explainHandlers(
  definition: ServiceDefinition,
  peers: ExplainPeers,
  clock: Clock,
  propagator?: Propagator,
): Handlers {
  const optionsOf = (call: CallContext) => callOptions(call, clock, propagator);
  return Object.fromEntries(
    Object.entries(definition).map(([name, given]) => {
      const method = given as unknown as BytesMethod;
      const handler = given.responseStream
        ? (request: Buffer, call: StreamCall<never, Buffer>) => relayStream(method, request, call, peers, optionsOf)
        : (request: Buffer, call: CallContext) => relay(method, request, call, peers, optionsOf);
      return [name, handler];
    }),
  );
}

/** Asks another instance, once, when the first does not answer: whatever is asked can be asked twice. */
async function relay(
  method: BytesMethod,
  request: Buffer,
  call: CallContext,
  peers: ExplainPeers,
  optionsOf: OptionsOf,
): Promise<Buffer> {
  const abort = new AbortController();
  call.onCancel(() => abort.abort(new ShoalError('CANCELLED', 'the call was cancelled')));
  const ask = async (peer: ExplainPeer): Promise<Buffer> => {
    try {
      return await peer.client.unary(method, request, { ...optionsOf(call), signal: abort.signal });
    } catch (thrown) {
      if (isLost(thrown)) peer.avoid();
      throw thrown;
    } finally {
      peer.release();
    }
  };
  const first = peers.take();
  try {
    return await ask(first);
  } catch (thrown) {
    const second = isLost(thrown) ? peers.find(first.client) : undefined;
    if (!second) throw thrown;
    return ask(second);
  }
}

function relayStream(
  method: BytesMethod,
  request: Buffer,
  call: StreamCall<never, Buffer>,
  peers: ExplainPeers,
  optionsOf: OptionsOf,
): void {
  let stream: ClientStream<Buffer, Buffer> | undefined;
  let answered = false;
  let cancelled = false;
  function start(peer: ExplainPeer, second: boolean): void {
    const opened = peer.client.stream(method, optionsOf(call));
    stream = opened;
    opened.onMessage((message) => {
      answered = true;
      if (!call.write(message)) opened.pause();
    });
    opened.onEnd((error) => {
      peer.release();
      const lost = isLost(error) && !answered && !cancelled;
      if (lost) peer.avoid();
      const other = lost && !second ? peers.find(peer.client) : undefined;
      if (other) start(other, true);
      else call.end(error);
    });
    opened.write(request);
    opened.end();
  }
  call.onCancel(() => {
    cancelled = true;
    stream?.cancel();
  });
  call.onDrain(() => stream?.resume());
  start(peers.take(), false);
}

function isLost(thrown: unknown): boolean {
  return thrown instanceof ShoalError && thrown.code === 'UNAVAILABLE';
}

/** With the time left, who makes the call, and its trace. */
function callOptions(call: CallContext, clock: Clock, propagator: Propagator | undefined): CallOptions {
  const headers = traceHeaders(call, propagator);
  for (const name of forwarded) {
    const value = call.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { deadline } = call;
  return { headers, ...(deadline !== undefined && { timeoutMs: Math.max(1, deadline - clock.now()) }) };
}
