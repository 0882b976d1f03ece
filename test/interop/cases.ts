import type { Metadata, RpcClient } from '@shoal/rpc';
import { Conversation } from './conversation';
import {
  type OutputRequest,
  type OutputResponse,
  TestService,
  UnimplementedService,
  echoInitial,
  echoTrailing,
  payload,
} from './protocol';

const { EmptyCall, UnaryCall, StreamingInputCall, StreamingOutputCall, FullDuplexCall, UnimplementedCall } =
  TestService;

/** Sizes that the cases prescribe. */
const requestSizes = [27182, 8, 1828, 45904];
const responseSizes = [31415, 9, 2653, 58979];
const large = { response_size: 314159, payload: payload(271828) };

/** Longer than any case may take, so that a lost answer fails instead of hanging. */
const timeoutMs = 20_000;

/** A case of gRPC's interoperability tests, played by our client. */
export type Case = (client: RpcClient) => Promise<void>;

/** https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md */
export const cases: Readonly<Record<string, Case>> = {
  async empty_unary(client) {
    expect(await client.unary(EmptyCall, {}, { timeoutMs })).toEqual({});
  },

  large_unary: largeUnary,

  async client_streaming(client) {
    const call = new Conversation(client.stream(StreamingInputCall, { timeoutMs }));
    call.send(...requestSizes.map((size) => ({ payload: payload(size) }))).stream.end();
    expect(await call.rest()).toEqual([{ aggregated_payload_size: 74922 }]);
  },

  async server_streaming(client) {
    const call = new Conversation(client.stream(StreamingOutputCall, { timeoutMs }));
    call.send({ response_parameters: responseSizes.map((size) => ({ size })) }).stream.end();
    expect(sizesOf(await call.rest())).toEqual(responseSizes);
  },

  async ping_pong(client) {
    const call = new Conversation(client.stream(FullDuplexCall, { timeoutMs }));
    for (const [i, size] of responseSizes.entries()) {
      call.send({ response_parameters: [{ size }], payload: payload(requestSizes[i] ?? 0) });
      expect(sizesOf([await call.next()])).toEqual([size]);
    }
    call.stream.end();
    expect(await call.rest()).toEqual([]);
  },

  async empty_stream(client) {
    const call = new Conversation(client.stream(FullDuplexCall, { timeoutMs }));
    call.stream.end();
    expect(await call.rest()).toEqual([]);
  },

  async timeout_on_sleeping_server(client) {
    const call = new Conversation(client.stream(FullDuplexCall, { timeoutMs: 1 }));
    call.send({ payload: payload(27182) });
    await expect(call.rest()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  },

  async cancel_after_begin(client) {
    const call = new Conversation(client.stream(StreamingInputCall, { timeoutMs }));
    call.stream.cancel();
    await expect(call.rest()).rejects.toMatchObject({ code: 'CANCELLED' });
  },

  async cancel_after_first_response(client) {
    const call = new Conversation(client.stream(FullDuplexCall, { timeoutMs }));
    call.send({ response_parameters: [{ size: 31415 }], payload: payload(27182) });
    expect(sizesOf([await call.next()])).toEqual([31415]);
    call.stream.cancel();
    await expect(call.rest()).rejects.toMatchObject({ code: 'CANCELLED' });
  },

  async status_code_and_message(client) {
    const asked = { response_status: { code: 2, message: 'test status message' } };
    const told = { code: 'UNKNOWN', message: 'test status message' };
    await expect(client.unary(UnaryCall, asked, { timeoutMs })).rejects.toMatchObject(told);
    const call = new Conversation(client.stream(FullDuplexCall, { timeoutMs }));
    call.send(asked).stream.end();
    await expect(call.rest()).rejects.toMatchObject(told);
  },

  async special_status_message(client) {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    const asked = client.unary(UnaryCall, { response_status: { code: 2, message } }, { timeoutMs });
    await expect(asked).rejects.toMatchObject({ code: 'UNKNOWN', message });
  },

  async custom_metadata(client) {
    const initial = { [echoInitial]: 'test_initial_metadata_value' };
    const trailing = { [echoTrailing]: Buffer.from('0a0b0a0b0a0b', 'hex') };
    let [headers, trailers]: (Metadata | undefined)[] = [];
    const options = {
      timeoutMs,
      headers: { ...initial, ...trailing },
      onHeaders: (metadata: Metadata) => (headers = metadata),
      onTrailers: (metadata: Metadata) => (trailers = metadata),
    };
    await client.unary(UnaryCall, { response_size: 1, payload: payload(1) }, options);
    expect([headers, trailers]).toEqual([expect.objectContaining(initial), expect.objectContaining(trailing)]);
    [headers, trailers] = [undefined, undefined];
    const call = new Conversation(client.stream(FullDuplexCall, options));
    call.send({ response_parameters: [{ size: 1 }], payload: payload(1) });
    expect(sizesOf([await call.next()])).toEqual([1]);
    call.stream.end();
    expect(await call.rest()).toEqual([]);
    expect([headers, trailers]).toEqual([expect.objectContaining(initial), expect.objectContaining(trailing)]);
  },

  async unimplemented_method(client) {
    const asked = client.unary(UnimplementedCall, {}, { timeoutMs });
    await expect(asked).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
  },

  async unimplemented_service(client) {
    const asked = client.unary(UnimplementedService.UnimplementedCall, {}, { timeoutMs });
    await expect(asked).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
  },

  async rpc_soak(client) {
    for (let i = 0; i < 20; i += 1) await largeUnary(client);
  },
};

/** Those with compression; few servers do all of them. */
export const compressionCases: Readonly<Record<string, Case>> = {
  async client_compressed_unary(client) {
    const expecting = { ...large, expect_compressed: { value: true } };
    // The probe: a server that knows the flag refuses what does not come compressed.
    await expect(client.unary(UnaryCall, expecting, { timeoutMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const compression of ['gzip', 'deflate'] as const) {
      expect(sizesOf([await client.unary(UnaryCall, expecting, { timeoutMs, compression })])).toEqual([314159]);
    }
    expect(sizesOf([await client.unary(UnaryCall, large, { timeoutMs })])).toEqual([314159]);
  },

  async client_compressed_streaming(client) {
    const probe = new Conversation(client.stream(StreamingInputCall, { timeoutMs }));
    probe.send({ payload: payload(27182), expect_compressed: { value: true } }).stream.end();
    await expect(probe.rest()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const call = new Conversation(client.stream(StreamingInputCall, { timeoutMs, compression: 'gzip' }));
    call.send({ payload: payload(27182), expect_compressed: { value: true } });
    call.send({ payload: payload(45904) }).stream.end();
    expect(await call.rest()).toEqual([{ aggregated_payload_size: 73086 }]);
  },

  async server_compressed_unary(client) {
    for (const value of [true, false]) {
      const asked = client.unary(UnaryCall, { ...large, response_compressed: { value } }, { timeoutMs });
      expect(sizesOf([await asked])).toEqual([314159]);
    }
  },

  async server_compressed_streaming(client) {
    const call = new Conversation<OutputRequest, OutputResponse>(client.stream(StreamingOutputCall, { timeoutMs }));
    const parameters = [
      { size: 31415, compressed: { value: true } },
      { size: 92653, compressed: { value: false } },
    ];
    call.send({ response_parameters: parameters }).stream.end();
    expect(sizesOf(await call.rest())).toEqual([31415, 92653]);
  },
};

async function largeUnary(client: RpcClient): Promise<void> {
  const { payload: got } = await client.unary(UnaryCall, large, { timeoutMs });
  expect(got?.body.equals(payload(314159).body)).toBe(true);
}

function sizesOf(responses: readonly OutputResponse[]): readonly (number | undefined)[] {
  return responses.map((response) => response.payload?.body.length);
}
