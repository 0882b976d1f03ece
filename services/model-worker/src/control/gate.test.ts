import { setImmediate as turn } from 'node:timers/promises';
import { Gate } from './gate';

test('never more tasks at once than there are places; all run, in order, also after a failure', async () => {
  const gate = new Gate(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const tasks = Array.from({ length: 7 }, (_, i) =>
    gate.run(async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(i);
      await turn();
      running -= 1;
      if (i === 1) throw new Error('one fails');
      return i;
    }),
  );
  const results = await Promise.allSettled(tasks);
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    ...Array.from({ length: 5 }, () => 'fulfilled'),
  ]);
});
