import { once } from 'node:events';
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

test('after its close nothing wakes', async () => {
  const pacer = threadPacer();
  let woken = 0;
  pacer.onWake(() => woken++);
  pacer.wakeAfter(1);
  pacer.close();
  // A second thread started later has answered: the first had time to.
  const other = threadPacer();
  const answered = new EventTarget();
  other.onWake(() => answered.dispatchEvent(new Event('wake')));
  const event = once(answered, 'wake');
  other.wakeAfter(2);
  await event;
  other.close();
  expect(woken).toBe(0);
});
