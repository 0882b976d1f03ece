import { type Shoal, startShoal } from '../support/shoal';
import { roundsFor, slowInputs } from '../support/slow';
import { float32, inferRequest, isSimpleAnswer, simpleRequest } from '../support/tensors';
import { eventually, within } from '../support/waiting';

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: { simple: { append: 'dynamic_batching { }' }, slow_loop: {}, identity_fp32: {} },
  });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

test('answers come in the order of the requests, whichever model is slower', async () => {
  const rounds = await roundsFor(shoal.client, 200);
  const stream = shoal.client.stream();
  stream.send(inferRequest('slow_loop', slowInputs(rounds), { id: 'slow' }));
  for (let i = 0; i < 5; i += 1) stream.send(simpleRequest(i, { id: `quick ${i}` }));
  expect((await stream.finish()).code).toBe('OK');
  const ids = stream.answers.map(({ infer_response: response }) => response?.id);
  expect(ids).toEqual(['slow', 'quick 0', 'quick 1', 'quick 2', 'quick 3', 'quick 4']);
  for (const { infer_response: response } of stream.answers) {
    expect(response?.parameters['triton_final_response']?.bool_param).toBe(true);
  }
}, 20_000);

test('refusals are in-band, and the stream goes on', async () => {
  const stream = shoal.client.stream();
  stream.send(simpleRequest(1, { id: 'first' }));
  stream.send({ ...simpleRequest(2, { id: 'second' }), model_name: 'nope' });
  stream.send({ ...simpleRequest(3, { id: 'third' }), raw_input_contents: [Buffer.alloc(4), Buffer.alloc(64)] });
  stream.send(simpleRequest(4, { id: 'fourth' }));
  expect((await stream.finish()).code).toBe('OK');
  expect(stream.answers.map((answer) => answer.infer_response?.id)).toEqual(['first', 'second', 'third', 'fourth']);
  expect(stream.answers.map((answer) => answer.error_message)).toEqual([
    '',
    "Request for unknown model: 'nope' is not found",
    "[request id: third] input byte size mismatch for input 'INPUT0' for model 'simple'. Expected 64, got 4",
    '',
  ]);
});

test('three streams of five hundred requests each, side by side, are answered rightly and in order', async () => {
  const streams = [0, 1, 2].map(() => shoal.client.stream());
  streams.forEach((stream, s) => {
    for (let i = 0; i < 500; i += 1) stream.send(simpleRequest(1000 * s + i, { id: String(i) }));
  });
  for (const { code } of await Promise.all(streams.map((stream) => stream.finish()))) expect(code).toBe('OK');
  streams.forEach((stream, s) => {
    const right = stream.answers.map(
      ({ infer_response: response }, i) => response?.id === String(i) && isSimpleAnswer(response, 1000 * s + i),
    );
    expect(right).toHaveLength(500);
    expect(right).not.toContain(false);
  });
}, 40_000);

test('messages of megabytes pass', async () => {
  const elements = 1024 * 1024;
  const values = Array.from({ length: elements }, (_, i) => i % 251);
  const stream = shoal.client.stream();
  for (let i = 0; i < 4; i += 1) stream.send(inferRequest('identity_fp32', [float32('INPUT0', [1, elements], values)]));
  expect((await stream.finish()).code).toBe('OK');
  const wanted = Buffer.from(Float32Array.from(values).buffer);
  const same = stream.answers.map((answer) => answer.infer_response?.raw_output_contents[0]?.equals(wanted));
  expect(same).toEqual([true, true, true, true]);
}, 30_000);

test('a cancelled stream ends, and the next one is served', async () => {
  const rounds = await roundsFor(shoal.client, 500);
  const cancelled = shoal.client.stream();
  for (let i = 0; i < 40; i += 1) cancelled.send(inferRequest('slow_loop', slowInputs(rounds)));
  await eventually('the first answer', () => cancelled.answers.length > 0);
  cancelled.cancel();
  expect((await cancelled.ended).code).toBe('CANCELLED');
  const next = shoal.client.stream();
  next.send(inferRequest('slow_loop', slowInputs(10), { id: 'next' }));
  // Forty halves of a second would have been ahead of it.
  await within('the next stream', next.finish(), 5000);
  expect(next.answers.map((answer) => answer.infer_response?.id)).toEqual(['next']);
}, 30_000);
