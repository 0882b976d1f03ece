import { type ErrorCode, ShoalError, statusNumbers, systemClock } from '@shoal/core';
import type { CallContext, RpcServer, StreamCall } from '@shoal/rpc';
import {
  type EchoStatus,
  type Flag,
  type InputRequest,
  type InputResponse,
  type OutputRequest,
  type OutputResponse,
  type SimpleRequest,
  type SimpleResponse,
  echoInitial,
  echoTrailing,
  payload,
  serviceDefinition,
} from './protocol';

type Duplex = StreamCall<OutputRequest, OutputResponse>;

/** Adds the service of the interoperability tests to a server of ours. */
export function addTestService(server: RpcServer): void {
  const handlers = {
    EmptyCall: () => ({}),
    UnaryCall: unary,
    CacheableUnaryCall: unary,
    StreamingInputCall: aggregate,
    FullDuplexCall: answerEach,
    HalfDuplexCall: answerAtTheEnd,
    async StreamingOutputCall(request: OutputRequest, call: Duplex) {
      await answer(request, call);
      call.end();
    },
  };
  server.addService(serviceDefinition, handlers, { large: Object.keys(handlers) });
}

function unary(request: SimpleRequest, call: CallContext): SimpleResponse {
  echoMetadata(call);
  checkCompressed(request.expect_compressed, call);
  fail(request.response_status);
  call.compressResponses(request.response_compressed?.value === true ? 'low' : 'none');
  return { payload: payload(request.response_size ?? 0), ...(request.fill_server_id && { server_id: 'shoal' }) };
}

function aggregate(call: StreamCall<InputRequest, InputResponse>): void {
  let bytes = 0;
  call.onMessage((request) => {
    checkCompressed(request.expect_compressed, call);
    bytes += request.payload?.body.length ?? 0;
  });
  call.onEnd(() => {
    call.write({ aggregated_payload_size: bytes });
    call.end();
  });
}

function answerEach(call: Duplex): void {
  echoMetadata(call);
  let answered = Promise.resolve();
  call.onMessage((request) => {
    answered = answered.then(() => answer(request, call)).catch((thrown: unknown) => call.end(thrown as ShoalError));
  });
  call.onEnd(() => void answered.then(() => call.end()));
}

function answerAtTheEnd(call: Duplex): void {
  const requests: OutputRequest[] = [];
  call.onMessage((request) => requests.push(request));
  call.onEnd(() => void answerAll(requests, call));
}

async function answerAll(requests: readonly OutputRequest[], call: Duplex): Promise<void> {
  for (const request of requests) await answer(request, call);
  call.end();
}

async function answer(request: OutputRequest, call: Duplex): Promise<void> {
  fail(request.response_status);
  for (const { size, interval_us: pause = 0, compressed } of request.response_parameters ?? []) {
    if (pause > 0) await pauseOf(pause / 1000, call);
    call.compressResponses(compressed?.value === true ? 'low' : 'none');
    if (call.write({ payload: payload(size) }) || call.cancelled) continue;
    await new Promise<void>((resolve) => {
      call.onDrain(resolve);
      call.onCancel(resolve);
    });
  }
}

/** Waits, unless the client goes. */
function pauseOf(ms: number, call: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const cancelTimer = systemClock.schedule(ms, resolve);
    call.onCancel(() => {
      cancelTimer();
      resolve();
    });
  });
}

/** The client's own metadata back, in headers and trailers. */
function echoMetadata(call: CallContext): void {
  const initial = call.header(echoInitial);
  if (initial !== undefined) call.setHeaders({ [echoInitial]: initial });
  const trailing = call.binaryHeader(echoTrailing);
  if (trailing !== undefined) call.setTrailers({ [echoTrailing]: trailing });
}

function checkCompressed(expected: Flag | null | undefined, call: CallContext): void {
  if (expected?.value !== true || call.requestCompressed === true) return;
  throw new ShoalError('INVALID_ARGUMENT', 'a compressed request was expected');
}

/** Ends the call with the status that its request asks for. */
function fail(status: EchoStatus | null | undefined): void {
  if (!status || status.code === 0) return;
  const [name] = Object.entries(statusNumbers).find(([, number]) => number === status.code) ?? ['UNKNOWN'];
  throw new ShoalError(name as ErrorCode, status.message);
}
