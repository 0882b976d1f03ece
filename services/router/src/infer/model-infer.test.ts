import type { Offer } from '@shoal/link';
import { simpleModel } from '../testing/model-configs';
import { type RouterRig, startRig } from '../testing/router-rig';
import { ScriptedBatching } from '../testing/scripted-batching';
import { ScriptedRunner } from '../testing/scripted-runner';
import { firstSum, simpleRequest, until } from '../testing/simple-request';

let rig: RouterRig;

beforeEach(async () => {
  rig = await startRig();
});

afterEach(async () => {
  await rig.close();
});

test('a request is offered by its metadata, its bytes go to the runner, the answer comes back untouched', async () => {
  const { status, response } = await rig.client.call('ModelInfer', simpleRequest('r1', 5));
  expect(status).toBe('OK');
  expect(response).toMatchObject({ model_name: 'simple', model_version: '1', id: 'r1' });
  expect(firstSum(response)).toBe(6);
  expect(rig.batching.offers).toMatchObject([
    { queue: 'simple/1@g1', rows: 1, shapeKey: '', bytes: 128, timeoutMs: 0, ageMs: 0, priority: 0, solo: false },
  ]);
  expect(rig.runner.received).toHaveLength(1);
});

test('the background is for those that ask for it, and is a bool', async () => {
  await rig.client.call(
    'ModelInfer',
    simpleRequest('', 0, { parameters: { 'shoal.background': { bool_param: true } } }),
  );
  await rig.client.call(
    'ModelInfer',
    simpleRequest('', 0, { parameters: { 'shoal.background': { bool_param: false } } }),
  );
  await rig.client.call('ModelInfer', simpleRequest());
  expect(rig.batching.offers.map(({ background }) => background)).toEqual([true, false, false]);
  const parameters = { 'shoal.background': { int64_param: 1 } };
  expect(await rig.client.call('ModelInfer', simpleRequest('', 0, { parameters }))).toMatchObject({
    status: 'INVALID_ARGUMENT',
    details: "invalid value type for 'shoal.background' parameter, expected bool_param.",
  });
});

test('priority, timeout and the deadline travel with the offer', async () => {
  const parameters = { priority: { uint64_param: 2 }, timeout: { int64_param: 1500 } };
  await rig.client.call('ModelInfer', simpleRequest('', 0, { parameters }), { deadlineMs: 60_000 });
  const [offer] = rig.batching.offers;
  expect(offer).toMatchObject({ priority: 2, queueTimeoutUs: 1500 });
  expect(offer?.timeoutMs).toBeGreaterThan(30_000);
  expect(offer?.timeoutMs).toBeLessThanOrEqual(60_000);
});

test('many requests at a time each get their own answer', async () => {
  const bases = Array.from({ length: 200 }, (_, i) => i * 3);
  const answers = await Promise.all(bases.map((base) => rig.client.call('ModelInfer', simpleRequest('', base))));
  expect(answers.map(({ response }) => firstSum(response))).toEqual(bases.map((base) => base + 1));
});

test('a request whose runner dies is offered again, alone, and answered by another', async () => {
  rig.runner.onData = () => {
    rig.batching.runner = 'runner-2';
    void rig.runner.kill();
  };
  const second = await startSecondRunner();
  const { status, response } = await rig.client.call('ModelInfer', simpleRequest('', 7));
  expect([status, firstSum(response)]).toEqual(['OK', 8]);
  const [first, again] = rig.batching.offers;
  expect(again).toMatchObject({ solo: true });
  expect(again?.ageMs).toBeGreaterThan(0);
  expect(again?.offerId).not.toBe(first?.offerId);
  await second.kill();
});

test('a request that two runners died with is not tried a third time', async () => {
  const second = await startSecondRunner();
  rig.runner.onData = () => {
    rig.batching.runner = 'runner-2';
    void rig.runner.kill();
  };
  second.onData = () => void second.kill();
  const { status, details } = await rig.client.call('ModelInfer', simpleRequest());
  expect(status).toBe('UNAVAILABLE');
  expect(details).toBe("the model's process ended 2 times while it had this request, which is not tried again");
  expect(rig.batching.offers).toHaveLength(2);
});

test('bytes that a runner refuses are offered again, not alone', async () => {
  let refused = 0;
  rig.runner.onData = (data, link) => {
    if (refused++ < 3) link.send({ kind: 'refused', offerId: data.offerId });
    else rig.runner.answer(data, link);
  };
  const { status } = await rig.client.call('ModelInfer', simpleRequest());
  expect(status).toBe('OK');
  expect(rig.batching.offers.map(({ solo }) => solo)).toEqual([false, false, false, false]);
  expect(rig.batching.cancels.map(({ offerId }) => offerId)).toEqual(
    rig.batching.offers.slice(0, 3).map(({ offerId }) => offerId),
  );
});

test('a runner that is not known yet gets the bytes once it can be reached', async () => {
  rig.batching.runner = 'runner-2';
  const answer = rig.client.call('ModelInfer', simpleRequest('', 1));
  await until(() => rig.batching.offers.length > 0);
  const second = await startSecondRunner();
  expect(firstSum((await answer).response)).toBe(2);
  expect(second.received).toHaveLength(1);
  await second.kill();
});

test('requests wait for a batching instance, and move to the next when theirs is lost', async () => {
  rig.batching.onOffer = () => void rig.batching.kill();
  const answer = rig.client.call('ModelInfer', simpleRequest('', 3));
  await until(() => rig.batching.offers.length > 0);
  const next = new ScriptedBatching(rig.bus, 'batching-2');
  await next.start(rig.transport);
  const { status, response } = await answer;
  expect([status, firstSum(response)]).toEqual(['OK', 4]);
  expect(next.offers).toHaveLength(1);
  await next.kill();
});

test('what a runner has already may be answered though its batching instance is lost meanwhile', async () => {
  let answerIt: () => void = () => undefined;
  rig.runner.onData = (data, link) => {
    answerIt = () => rig.runner.answer(data, link);
  };
  const answer = rig.client.call('ModelInfer', simpleRequest('', 3));
  await until(() => rig.runner.received.length > 0);
  await rig.batching.kill();
  answerIt();
  expect((await answer).status).toBe('OK');
});

test('a request that was offered to a queue that is gone goes to the queue that took its place', async () => {
  rig.batching.onOffer = (offer: Offer) => {
    if (offer.queue.endsWith('@g2')) return rig.batching.send(offer);
    const text = "Request for unknown model: 'simple' version 1 is not at ready state";
    rig.batching.reject(offer, 'UNAVAILABLE', text, 'queue');
    rig.announce(simpleModel.config, 1, { generation: 'g2' });
  };
  expect((await rig.client.call('ModelInfer', simpleRequest())).status).toBe('OK');
  expect(rig.batching.offers.at(-1)?.queue).toBe('simple/1@g2');
});

test('a request to a version that is unloaded while it waits is told so', async () => {
  rig.batching.onOffer = (offer: Offer) => {
    rig.announce(simpleModel.config, 1, { state: 'UNAVAILABLE', reason: 'unloaded' });
    const text = "Request for unknown model: 'simple' version 1 is not at ready state";
    setImmediate(() => rig.batching.reject(offer, 'UNAVAILABLE', text, 'queue'));
  };
  expect(await rig.client.call('ModelInfer', simpleRequest())).toMatchObject({
    status: 'NOT_FOUND',
    details: "Request for unknown model: 'simple' has no available versions",
  });
});

test('a client that cancels is withdrawn everywhere, and a Send that crosses is answered with a withdrawal', async () => {
  rig.runner.onData = () => undefined;
  const abort = new AbortController();
  const sent = rig.client.call('ModelInfer', simpleRequest(), { signal: abort.signal });
  await until(() => rig.runner.received.length === 1);
  abort.abort();
  expect((await sent).status).toBe('CANCELLED');
  await until(() => rig.batching.cancels.length === 1 && rig.runner.withdrawn.length === 1);
  expect(rig.batching.cancels[0]).toMatchObject({ reason: 'cancelled' });

  rig.batching.send(rig.batching.offers[0] as Offer);
  await until(() => rig.runner.withdrawn.length === 2);
});

test('a deadline that passes in the queue ends the request and tells batching why', async () => {
  rig.batching.onOffer = () => undefined;
  // A client whose own clock ends the call may be earlier than the server on a busy machine: this one only tells its deadline.
  const { status } = await rig.client.call('ModelInfer', simpleRequest(), { headers: { 'grpc-timeout': '200m' } });
  expect(status).toBe('DEADLINE_EXCEEDED');
  await until(() => rig.batching.cancels.length === 1);
  expect(rig.batching.cancels[0]).toMatchObject({ reason: 'deadline' });
});

test("the model's own failure keeps its code and text", async () => {
  rig.batching.onOffer = (offer) => rig.batching.reject(offer, 'INTERNAL', 'onnx runtime error 6: boom', 'model');
  expect(await rig.client.call('ModelInfer', simpleRequest())).toMatchObject({
    status: 'INTERNAL',
    details: 'onnx runtime error 6: boom',
  });
});

test('a drain refuses what is new, answers what was accepted, and then ends', async () => {
  let answerIt: () => void = () => undefined;
  rig.runner.onData = (data, link) => {
    answerIt = () => rig.runner.answer(data, link);
  };
  const accepted = rig.client.call('ModelInfer', simpleRequest('', 3));
  await until(() => rig.runner.received.length > 0);
  const drained = rig.router.drain(10_000);
  answerIt();
  expect((await accepted).status).toBe('OK');
  await drained;
  const refused = await rig.client.call('ModelInfer', simpleRequest(), { deadlineMs: 1_000 });
  expect(refused.status).toBe('UNAVAILABLE');
});

test('requests that are left after the grace of a drain get UNAVAILABLE', async () => {
  rig.batching.onOffer = () => undefined;
  const accepted = rig.client.call('ModelInfer', simpleRequest());
  await until(() => rig.batching.offers.length > 0);
  await rig.router.drain(0);
  expect(await accepted).toMatchObject({ status: 'UNAVAILABLE', details: 'the server is shutting down' });
});

async function startSecondRunner(): Promise<ScriptedRunner> {
  const second = new ScriptedRunner(rig.bus, 'runner-2');
  await second.start(rig.transport, { model: 'simple', version: 1, generation: 'g1' });
  return second;
}
