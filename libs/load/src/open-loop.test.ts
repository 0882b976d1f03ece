import { ShoalError, constantArrivals } from '@shoal/core';
import { FakeClock } from '@shoal/testing';
import { openLoop } from './open-loop';
import { timerPacer } from './pacer';
import { Recorder } from './recorder';
import type { Ended, OpenSender } from './sender';

/** A server whose answers the test gives. */
function byHand(): { open: OpenSender; sent: number[]; answer(slot: number, error?: ShoalError): void } {
  const sent: number[] = [];
  let ended: Ended;
  return {
    sent,
    open(tell) {
      ended = tell;
      return { send: (slot) => void sent.push(slot), close: () => undefined };
    },
    answer: (slot, error) => ended(slot, error),
  };
}

function start(maxInFlight: number) {
  const clock = new FakeClock(1000);
  const recorder = new Recorder('intention');
  const server = byHand();
  const options = { arrivals: constantArrivals(100), maxInFlight, pacer: timerPacer(clock) };
  const driver = openLoop(options, server.open, recorder, clock);
  recorder.begin(0);
  driver.start();
  return { clock, recorder, server, driver };
}

test('requests go out when they are due, answered or not', async () => {
  const { clock, server, driver } = start(100);
  expect(server.sent).toHaveLength(1);
  clock.advance(95);
  expect(server.sent).toHaveLength(10);
  expect(driver.inFlight).toBe(10);
  expect(new Set(server.sent).size).toBe(10);
  for (const slot of server.sent) server.answer(slot);
  await driver.stop(1000);
  expect(clock.pending).toBe(0);
});

test('a stall is seen by all who came during it', async () => {
  const { clock, recorder, server, driver } = start(1);
  // The first request is due at 0 ms and answered at 100 ms; ten more fell due in the meantime.
  clock.advance(100);
  expect(server.sent).toHaveLength(1);
  for (let i = 0; i < 11; i++) server.answer(0);
  expect(server.sent).toHaveLength(11 + 0);
  recorder.end(clock.now());
  await driver.stop(0);
  // From the intended send: 100, 90, …; from the actual one only the first waited.
  expect(recorder.fromIntended.summary().max).toBeCloseTo(100, 0);
  expect(recorder.fromIntended.percentile(50)).toBeCloseTo(50, 0);
  expect(recorder.fromSent.percentile(50)).toBeLessThan(1);
  expect(recorder.late).toBe(9);
});

test('failures are counted by status, with an example; what is never answered is one', async () => {
  const { clock, recorder, server, driver } = start(10);
  clock.advance(25);
  server.answer(server.sent[0] as number, new ShoalError('UNAVAILABLE', 'no room'));
  server.answer(server.sent[1] as number, new ShoalError('UNAVAILABLE', 'still no room'));
  const stopped = driver.stop(50);
  clock.advance(50);
  await stopped;
  expect(Object.fromEntries(recorder.failures)).toEqual({
    UNAVAILABLE: { count: 2, example: 'no room' },
    UNANSWERED: { count: 1, example: expect.any(String) as string },
  });
});
