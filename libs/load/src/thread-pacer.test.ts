import { threadPacer } from './thread-pacer';

test('it wakes once for the last request, and ends', async () => {
  const pacer = threadPacer();
  let woken = 0;
  let tell: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (tell = resolve));
  pacer.onWake(() => {
    woken += 1;
    tell();
  });
  pacer.wakeAfter(500_000);
  pacer.wakeAfter(0.2);
  await first;
  expect(woken).toBe(1);
  const again = new Promise<void>((resolve) => (tell = resolve));
  pacer.wakeAfter(0);
  await again;
  expect(woken).toBe(2);
  pacer.close();
});

test('what was on its way when it was closed, or asked for something else, does not wake', async () => {
  const pacer = threadPacer();
  let woken = 0;
  let tell: () => void = () => undefined;
  const wakeUp = () => new Promise<void>((resolve) => (tell = resolve));
  pacer.onWake(() => {
    woken += 1;
    tell();
  });
  const alive = wakeUp();
  pacer.wakeAfter(0);
  await alive;
  // While this thread stands still the other one says that it is time.
  const standStill = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  const second = wakeUp();
  pacer.wakeAfter(0);
  standStill();
  pacer.wakeAfter(20);
  await second;
  await later(100);
  expect(woken).toBe(2);
  pacer.wakeAfter(0);
  standStill();
  pacer.close();
  await later(2);
  expect(woken).toBe(2);
});

/** A second thread has answered, which was started later: what the first one said has come. */
async function later(ms: number): Promise<void> {
  const other = threadPacer();
  const answered = new Promise<void>((resolve) => other.onWake(resolve));
  other.wakeAfter(ms);
  await answered;
  other.close();
}
