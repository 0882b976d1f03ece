import {
  Client,
  type ClientOptions,
  Metadata,
  type MethodDefinition,
  compressionAlgorithms,
  credentials,
  status,
} from '@grpc/grpc-js';
import { connect } from 'node:http2';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { TestService, echoInitial, echoTrailing, payload } from './protocol';
import { type Running, serveOurs, serverCarriers } from './servers';

const { UnaryCall, StreamingOutputCall, FullDuplexCall } = TestService;

describe.each(serverCarriers)('grpc-js as it comes against our server on %s', (carrier) => {
  let openBefore: string[];
  let server: Running;
  let client: Client;

  beforeEach(async () => {
    openBefore = openNow();
    server = await serveOurs(carrier);
    client = open();
  });

  afterEach(async () => {
    client.close();
    await server.stop();
    await assertNothingOpen(openBefore);
  });

  function open(options: ClientOptions = {}): Client {
    return new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
  }

  function ask<Req, Res>(method: MethodDefinition<Req, Res>, request: Req, by = client): Promise<Res> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      by.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
        error ? reject(error) : resolve(response as Res),
      );
    });
  }

  test('unary, from nothing to 20 MB', async () => {
    for (const size of [0, 1, 16_379, 16_384, 65_536, 1_000_000, 20_000_000]) {
      const answer = await ask(UnaryCall, { response_size: size, payload: payload(size) });
      expect(answer.payload?.body.length).toBe(size);
    }
  });

  test('3,000 at once', async () => {
    const asked = Array.from({ length: 3000 }, (_, size) => ask(UnaryCall, { response_size: size }));
    const sizes = (await Promise.all(asked)).map((answer) => answer.payload?.body.length);
    expect(sizes).toEqual(sizes.map((_, size) => size));
  });

  test('a stream that is read slowly, while others go on', async () => {
    const { path, requestSerialize, responseDeserialize } = StreamingOutputCall;
    const request = { response_parameters: Array.from({ length: 100 }, () => ({ size: 300_000 })) };
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    let messages = 0;
    for await (const message of call as AsyncIterable<{ payload: { body: Buffer } }>) {
      expect(message.payload.body.length).toBe(300_000);
      messages += 1;
      await ask(UnaryCall, { response_size: 10 });
    }
    expect(messages).toBe(100);
  });

  test('both directions of a stream full', async () => {
    const { path, requestSerialize, responseDeserialize } = FullDuplexCall;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const sizes: (number | undefined)[] = [];
    call.on('data', (message: { payload?: { body: Buffer } }) => sizes.push(message.payload?.body.length));
    const ended = new Promise<{ code: number }>((resolve) => void call.on('status', resolve));
    for (let i = 0; i < 100; i += 1) {
      call.write({ response_parameters: [{ size: 50_000 + i }], payload: payload(50_000) });
    }
    call.end();
    expect(await ended).toMatchObject({ code: status.OK });
    expect(sizes).toEqual(Array.from({ length: 100 }, (_, i) => 50_000 + i));
  });

  test('metadata of several values, and a status with metadata', async () => {
    const { path, requestSerialize, responseDeserialize } = UnaryCall;
    const metadata = new Metadata();
    metadata.set(echoInitial, 'x'.repeat(3000));
    metadata.set(echoTrailing, Buffer.alloc(1000, 0xfe));
    metadata.add('x-many', 'one');
    metadata.add('x-many', 'two');
    const failing = { response_status: { code: status.DATA_LOSS, message: 'gone' } };
    const headers = new Promise<Metadata>((told) => {
      client
        .makeUnaryRequest(path, requestSerialize, responseDeserialize, failing, metadata, () => undefined)
        .on('metadata', told)
        .on('status', (end) => {
          expect(end).toMatchObject({ code: status.DATA_LOSS, details: 'gone' });
          expect(end.metadata.get(echoTrailing)).toEqual([Buffer.alloc(1000, 0xfe)]);
        });
    });
    expect((await headers).get(echoInitial)).toEqual(['x'.repeat(3000)]);
  });

  if (carrier !== 'native') return;

  test.each(['gzip', 'deflate'] as const)('requests and answers compressed with %s', async (name) => {
    const squeezing = open({ 'grpc.default_compression_algorithm': compressionAlgorithms[name] });
    for (const size of [0, 100, 1_000_000, 20_000_000]) {
      const sizes = { response_size: size, payload: payload(size) };
      const flags = { expect_compressed: { value: true }, response_compressed: { value: true } };
      expect((await ask(UnaryCall, { ...sizes, ...flags }, squeezing)).payload?.body.length).toBe(size);
    }
    squeezing.close();
  });

  test('an answer that is asked for compressed is compressed on the wire, if the client takes it', async () => {
    const compressed = { response_size: 100_000, response_compressed: { value: true } };
    const plain = { response_size: 100_000, response_compressed: { value: false } };
    expect(await rawAnswer(compressed, 'gzip')).toMatchObject({ encoding: 'gzip', flag: 1, small: true });
    expect(await rawAnswer(compressed, 'identity, gzip')).toMatchObject({ encoding: 'gzip', flag: 1, small: true });
    expect(await rawAnswer(compressed, 'identity,br')).toMatchObject({ flag: 0, small: false });
    expect(await rawAnswer(plain, 'gzip')).toMatchObject({ flag: 0, small: false });
  });

  /** One call by node:http2, to see the answer as it is on the wire. */
  async function rawAnswer(request: object, accept: string): Promise<object> {
    const session = connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': UnaryCall.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-accept-encoding': accept,
    });
    let encoding: unknown;
    stream.on('response', (headers) => (encoding = headers['grpc-encoding']));
    const bytes = UnaryCall.requestSerialize(request);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.length, 1);
    stream.end(Buffer.concat([prefix, bytes]));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    session.close();
    const answer = Buffer.concat(chunks);
    return { encoding, flag: answer[0], small: answer.length < 1000 };
  }
});
