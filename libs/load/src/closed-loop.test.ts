import { ShoalError } from '@shoal/core';
import { FakeClock } from '@shoal/testing';
import { closedLoop } from './closed-loop';
import { Recorder } from './recorder';
import type { Ended } from './sender';

test('each slot sends when its last request is answered; only ends in the window count', async () => {
  const clock = new FakeClock();
  const recorder = new Recorder('end');
  const sent: number[] = [];
  let ended: Ended = () => undefined;
  const driver = closedLoop(
    2,
    (tell) => {
      ended = tell;
      return { send: (slot) => void sent.push(slot), close: () => undefined };
    },
    recorder,
    clock,
  );
  driver.start();
  expect(sent).toEqual([0, 1]);
  clock.advance(5);
  ended(0, undefined);
  recorder.begin(clock.now());
  clock.advance(10);
  ended(1, undefined);
  ended(0, undefined);
  expect(sent).toEqual([0, 1, 0, 1, 0]);
  clock.advance(1);
  recorder.end(clock.now());
  ended(0, undefined);
  expect(recorder.fromSent.summary().count).toBe(2);
  expect(recorder.fromIntended.percentile(100)).toBeCloseTo(15, 0);
  expect(recorder.late).toBe(0);
  const stopped = driver.stop(1000);
  ended(0, undefined);
  ended(1, undefined);
  await stopped;
  expect(driver.inFlight).toBe(0);
  expect(clock.pending).toBe(0);
});

test('a slot whose request failed pauses before it sends again', () => {
  const clock = new FakeClock();
  let sent = 0;
  let ended: Ended = () => undefined;
  const driver = closedLoop(
    1,
    (tell) => {
      ended = tell;
      return { send: () => void sent++, close: () => undefined };
    },
    new Recorder('end'),
    clock,
  );
  driver.start();
  ended(0, new ShoalError('UNAVAILABLE', 'no'));
  expect(sent).toBe(1);
  clock.advance(1);
  expect(sent).toBe(2);
});
