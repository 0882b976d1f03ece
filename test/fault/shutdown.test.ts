import { Load } from '../support/load';
import { startShoal } from '../support/shoal';
import { roundsFor, slowInputs } from '../support/slow';
import { inferRequest, isSimpleAnswer, simpleRequest } from '../support/tensors';
import { eventually, sleep } from '../support/waiting';

test('SIGTERM under load: what was accepted is answered, what comes later is refused, and it exits with 0', async () => {
  const shoal = await startShoal({ models: { simple: {}, slow_loop: { append: 'dynamic_batching { }' } } });
  const rounds = await roundsFor(shoal.client, 100);
  const quick = new Load(8, async (i) => isSimpleAnswer(await shoal.client.infer(simpleRequest(i)), i));
  const slow = new Load(
    8,
    async (i) => (await shoal.client.infer(inferRequest('slow_loop', slowInputs(rounds, i)))).outputs.length === 1,
  );
  await eventually('both models answer', () => quick.answered > 50 && slow.answered > 8, 20_000);

  const runners = shoal.runners();
  const signalled = performance.now();
  shoal.signal('SIGTERM');
  const exit = await shoal.exited;
  await sleep(100);
  await Promise.all([quick.stop(), slow.stop()]);

  expect(exit).toEqual({ code: 0, signal: null });
  await shoal.ended(runners);
  const outcomes = [...quick.outcomes, ...slow.outcomes];
  expect(outcomes.filter(({ right }) => right === false)).toEqual([]);
  // A margin for what was on the wire and not yet at the server when the signal came.
  const accepted = outcomes.filter(({ started }) => started < signalled - 50);
  expect(accepted.filter(({ failure }) => failure !== undefined)).toEqual([]);
  const refused = outcomes.filter(({ failure }) => failure !== undefined);
  expect(new Set(refused.map(({ failure }) => failure!.code))).toEqual(new Set(['UNAVAILABLE']));
  // In flight at the signal, and answered after it.
  expect(slow.outcomes.some((one) => one.started < signalled && one.ended > signalled && one.right)).toBe(true);
}, 60_000);

test('an open stream gets the answers to what it sent', async () => {
  const shoal = await startShoal({ models: { slow_loop: {} } });
  const rounds = await roundsFor(shoal.client, 100);
  const stream = shoal.client.stream();
  for (let i = 0; i < 5; i += 1) stream.send(inferRequest('slow_loop', slowInputs(rounds, i), { id: `${i}` }));
  await eventually('the first answer', () => stream.answers.length > 0);
  await shoal.stop();
  const { code } = await stream.ended;
  expect(stream.answers.map((answer) => answer.infer_response?.id)).toEqual(['0', '1', '2', '3', '4']);
  expect(stream.answers.map((answer) => answer.error_message)).toEqual(['', '', '', '', '']);
  expect(code).toBe('UNAVAILABLE');
}, 60_000);

test('SIGINT ends an idle server as well, and a second signal ends a busy one at once', async () => {
  const idle = await startShoal({ models: { simple: {} } });
  const runners = idle.runners();
  idle.signal('SIGINT');
  await idle.ended(runners, 10_000);

  const busy = await startShoal({ models: { slow_loop: {} } });
  const busyRunners = busy.runners();
  const rounds = await roundsFor(busy.client, 20_000);
  const failure = busy.client.failure('ModelInfer', inferRequest('slow_loop', slowInputs(rounds)));
  await eventually('it runs', async () => (await busy.client.call('ServerLive', {})).live);
  await sleep(100);
  busy.signal('SIGTERM');
  await eventually('the drain has begun', () => busy.output.includes('SIGTERM: finishing'));
  busy.signal('SIGTERM');
  expect(await busy.exited).toEqual({ code: 1, signal: null });
  expect((await failure).code).toBe('UNAVAILABLE');
  await eventually('its runner ends too', () => busyRunners.every((pid) => !busy.runners().includes(pid)));
  busy.client.close();
  busy.raw.close();
  busy.repository.delete();
}, 60_000);
