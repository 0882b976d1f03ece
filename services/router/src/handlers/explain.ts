import { type Clock, ShoalError } from '@shoal/core';
import type {
  CallContext,
  CallOptions,
  Handlers,
  MethodDefinition,
  RpcClient,
  ServiceDefinition,
  StreamCall,
} from '@shoal/rpc';
import type { ExplainPeers } from '../explain/explain-peers';

type BytesMethod = MethodDefinition<Buffer, Buffer>;

/** Who asks, and on whose trace. */
const forwarded = ['authorization', 'x-api-key', 'traceparent', 'tracestate'] as const;

/** shoal.explain.v1.Explainability: each call is handed on as it is, with its time left and who makes it. */
export function explainHandlers(definition: ServiceDefinition, peers: ExplainPeers, clock: Clock): Handlers {
  return Object.fromEntries(
    Object.entries(definition).map(([name, given]) => {
      const method = given as unknown as BytesMethod;
      const handler = given.responseStream
        ? (request: Buffer, call: StreamCall<never, Buffer>) => relayStream(method, request, call, peers, clock)
        : (request: Buffer, call: CallContext) => relay(method, request, call, peers, clock);
      return [name, handler];
    }),
  );
}

async function relay(
  method: BytesMethod,
  request: Buffer,
  call: CallContext,
  peers: ExplainPeers,
  clock: Clock,
): Promise<Buffer> {
  const options = optionsOf(call, clock);
  const peer = peers.take();
  const abort = new AbortController();
  call.onCancel(() => abort.abort(new ShoalError('CANCELLED', 'the call was cancelled')));
  try {
    return await peer.client.unary(method, request, { ...options, signal: abort.signal });
  } finally {
    peer.release();
  }
}

function relayStream(
  method: BytesMethod,
  request: Buffer,
  call: StreamCall<never, Buffer>,
  peers: ExplainPeers,
  clock: Clock,
): void {
  const options = optionsOf(call, clock);
  const peer = peers.take();
  const stream = open(peer.client, method, options, () => peer.release());
  call.onCancel(() => stream.cancel());
  stream.onMessage((message) => {
    if (!call.write(message)) stream.pause();
  });
  call.onDrain(() => stream.resume());
  stream.onEnd((error) => {
    peer.release();
    call.end(error);
  });
  stream.write(request);
  stream.end();
}

function open(client: RpcClient, method: BytesMethod, options: CallOptions, failed: () => void) {
  try {
    return client.stream(method, options);
  } catch (thrown) {
    failed();
    throw thrown;
  }
}

function optionsOf(call: CallContext, clock: Clock): CallOptions {
  const headers: Record<string, string> = {};
  for (const name of forwarded) {
    const value = call.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { deadline } = call;
  return { headers, ...(deadline !== undefined && { timeoutMs: Math.max(1, deadline - clock.now()) }) };
}
