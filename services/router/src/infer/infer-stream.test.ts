import type { Data, Link } from '@shoal/link';
import type { RouterConfig } from '../flags';
import { modelConfig } from '../testing/model-configs';
import { type RouterRig, startRig } from '../testing/router-rig';
import { firstSum, simpleRequest, until } from '../testing/simple-request';
import type { OpenStream } from '../testing/stock-client';

let rig: RouterRig;

async function start(config: Partial<RouterConfig> = {}): Promise<void> {
  rig = await startRig({ config });
}

afterEach(async () => {
  await rig.close();
});

/** Keeps members back until the test answers them. */
function holdAnswers(): { data: Data; link: Link }[] {
  const held: { data: Data; link: Link }[] = [];
  rig.runner.onData = (data, link) => held.push({ data, link });
  return held;
}

function ids(stream: OpenStream): unknown[] {
  return stream.responses.map(({ infer_response: response }) => (response as { id: string }).id);
}

test('requests of a stream run side by side, answers keep their order', async () => {
  await start();
  const held = holdAnswers();
  const stream = rig.client.openStream();
  const sent = Array.from({ length: 20 }, (_, i) => `r${i}`);
  for (const [i, id] of sent.entries()) stream.send(simpleRequest(id, i));
  stream.halfClose();
  await until(() => held.length === sent.length);
  for (const { data, link } of held.toReversed()) rig.runner.answer(data, link);
  const { status, responses } = await stream.ended;
  expect(status).toBe('OK');
  expect(ids(stream)).toEqual(sent);
  expect(responses.map(({ infer_response: response }) => firstSum(response))).toEqual(sent.map((_, i) => i + 1));
});

test('a refusal waits for its turn and does not end the stream', async () => {
  await start();
  const held = holdAnswers();
  const stream = rig.client.openStream();
  stream.send(simpleRequest('a'));
  stream.send({ ...simpleRequest('b'), model_name: 'nope' });
  stream.send(simpleRequest('c'));
  await until(() => held.length === 2);
  for (const { data, link } of held) rig.runner.answer(data, link);
  await until(() => stream.responses.length === 3);
  expect(ids(stream)).toEqual(['a', 'b', 'c']);
  expect(stream.responses[1]).toMatchObject({ error_message: "Request for unknown model: 'nope' is not found" });
  stream.halfClose();
  expect((await stream.ended).status).toBe('OK');
});

test('a message that is none ends the stream, after the answers to those before it', async () => {
  await start();
  const held = holdAnswers();
  const stream = rig.client.openStream();
  stream.send(simpleRequest('a'));
  stream.send(Buffer.from([0x0a, 0xff, 0xff, 0xff]));
  stream.send(simpleRequest('never'));
  await until(() => held.length === 1);
  for (const { data, link } of held) rig.runner.answer(data, link);
  const { status } = await stream.ended;
  expect(status).toBe('INVALID_ARGUMENT');
  expect(ids(stream)).toEqual(['a']);
  expect(rig.batching.offers).toHaveLength(1);
});

test('with triton_grpc_error a failed run ends the stream, a refusal does not', async () => {
  await start();
  rig.batching.onOffer = (offer) => rig.batching.reject(offer, 'INTERNAL', 'boom', 'model');
  const requests = [{ ...simpleRequest('a'), model_name: 'nope' }, simpleRequest('b'), simpleRequest('c')];
  const outcome = await rig.client.stream(requests, { triton_grpc_error: 'true' });
  expect(outcome).toMatchObject({ status: 'INTERNAL', details: 'boom' });
  expect(outcome.responses).toHaveLength(1);
});

test('a client that cancels takes all its requests back', async () => {
  await start();
  const held = holdAnswers();
  const stream = rig.client.openStream();
  for (let i = 0; i < 5; i += 1) stream.send(simpleRequest());
  await until(() => held.length === 5);
  stream.cancel();
  expect((await stream.ended).status).toBe('CANCELLED');
  await until(() => rig.batching.cancels.length === 5 && rig.runner.withdrawn.length === 5);
});

test('a stream reads no further ahead than it may, and goes on as answers leave', async () => {
  await start({ maxStreamRequests: 4 });
  const held = holdAnswers();
  const stream = rig.client.openStream();
  const sent = Array.from({ length: 300 }, (_, i) => `r${i}`);
  for (const id of sent) stream.send(simpleRequest(id));
  stream.halfClose();
  let most = 0;
  for (let answered = 0; answered < sent.length;) {
    await until(() => held.length > 0);
    most = Math.max(most, held.length);
    for (const { data, link } of held.splice(0)) {
      rig.runner.answer(data, link);
      answered += 1;
    }
  }
  expect((await stream.ended).status).toBe('OK');
  expect(ids(stream)).toEqual(sent);
  // What the carrier had decoded before it heard of the pause may come on top.
  expect(most).toBeLessThan(40);
});

test('a client that does not read is not read from either', async () => {
  await start({ maxStreamBytes: 100_000 });
  const stream = rig.client.openStream();
  stream.pause();
  const wide = { inputs: [tensor('INPUT0'), tensor('INPUT1')] };
  const request = { ...simpleRequest(), model_name: 'wide', ...wide, raw_input_contents: [bytes(), bytes()] };
  rig.announce(modelConfig('wide', 8, ['INPUT0 INT32[4096]', 'INPUT1 INT32[4096]'], ['OUTPUT0 INT32[4096]']), 1);
  const count = 2_000;
  for (let i = 0; i < count; i += 1) stream.send(request);
  stream.halfClose();
  let before = -1;
  // It is held back when a hundred turns of the event loop bring nothing new.
  while (rig.runner.received.length !== before || before <= 0) {
    before = rig.runner.received.length;
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(before).toBeLessThan(count / 2);
  stream.resume();
  const { status, responses } = await stream.ended;
  expect([status, responses.length]).toEqual(['OK', count]);
});

test('a drain answers what was accepted and then ends the stream', async () => {
  await start();
  const held = holdAnswers();
  const busy = rig.client.openStream();
  const idle = rig.client.openStream();
  busy.send(simpleRequest('a'));
  idle.send(simpleRequest('b'));
  await until(() => held.length === 2);
  const second = held.findIndex(({ data }) => data.requestId === 'b');
  const [answered] = held.splice(second, 1);
  if (answered) rig.runner.answer(answered.data, answered.link);
  await until(() => idle.responses.length === 1);
  const drained = rig.router.drain(10_000);
  expect(await idle.ended).toMatchObject({ status: 'UNAVAILABLE', details: 'the server is shutting down' });
  for (const { data, link } of held) rig.runner.answer(data, link);
  expect(await busy.ended).toMatchObject({ status: 'UNAVAILABLE' });
  expect(ids(busy)).toEqual(['a']);
  await drained;
});

function tensor(name: string): object {
  return { name, datatype: 'INT32', shape: [1, 4096] };
}

function bytes(): Buffer {
  return Buffer.alloc(4 * 4096);
}
