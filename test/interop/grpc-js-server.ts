import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import * as protocol from './protocol';
import type { Running } from './servers';

/** The test service on grpc-js as it comes, without anything of ours but the definition. */
export async function serveGrpcJs(): Promise<Running> {
  const server = new Server();
  server.addService(protocol.serviceDefinition, {
    EmptyCall: (_call: unknown, answer: sendUnaryData<object>) => answer(null, {}),
    UnaryCall: unary,
    StreamingInputCall: aggregate,
    StreamingOutputCall: output,
    FullDuplexCall: duplex,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  // Not tryShutdown: that waits for the deadlines of calls that were cancelled.
  return { port, stop: () => Promise.resolve(server.forceShutdown()) };
}

function unary(
  call: ServerUnaryCall<protocol.SimpleRequest, protocol.SimpleResponse>,
  answer: sendUnaryData<protocol.SimpleResponse>,
): void {
  const { response_size: size = 0, response_status: status } = call.request;
  call.sendMetadata(echoed(call.metadata, protocol.echoInitial));
  const trailers = echoed(call.metadata, protocol.echoTrailing);
  if (isFailure(status)) answer({ code: status.code, details: status.message, metadata: trailers });
  else answer(null, { payload: protocol.payload(size) }, trailers);
}

function aggregate(
  call: ServerReadableStream<protocol.InputRequest, protocol.InputResponse>,
  answer: sendUnaryData<protocol.InputResponse>,
): void {
  let bytes = 0;
  call.on('data', (request: protocol.InputRequest) => (bytes += request.payload?.body.length ?? 0));
  call.on('end', () => answer(null, { aggregated_payload_size: bytes }));
}

function output(call: ServerWritableStream<protocol.OutputRequest, protocol.OutputResponse>): void {
  for (const { size } of call.request.response_parameters ?? []) call.write({ payload: protocol.payload(size) });
  call.end();
}

function duplex(call: ServerDuplexStream<protocol.OutputRequest, protocol.OutputResponse>): void {
  call.sendMetadata(echoed(call.metadata, protocol.echoInitial));
  const trailers = echoed(call.metadata, protocol.echoTrailing);
  call.on('data', ({ response_status: status, response_parameters: parameters = [] }: protocol.OutputRequest) => {
    if (isFailure(status)) {
      call.emit('error', { code: status.code, details: status.message, metadata: trailers });
      return;
    }
    for (const { size } of parameters) call.write({ payload: protocol.payload(size) });
  });
  call.on('end', () => call.end(trailers));
}

function isFailure(status: protocol.EchoStatus | null | undefined): status is protocol.EchoStatus {
  return (status?.code ?? 0) !== 0;
}

/** Of the request's metadata the entry that is to be sent back. */
function echoed(metadata: Metadata, name: string): Metadata {
  const answer = new Metadata();
  for (const value of metadata.get(name)) answer.set(name, value);
  return answer;
}
