import { Worker } from 'node:worker_threads';
import type { Pacer } from './pacer';

/** Where the thread looks: how often it was asked, and after how many microseconds to wake. */
const asked = 0;
const delayUs = 1;

/**
 * The thread: it sleeps on a futex, whose time-outs keep to some 0.05 ms, and posts a message when it is time. A new
 * request cuts the sleep short. It is source text so that it needs no file of its own beside compiled and uncompiled code.
 */
const thread = `
const { parentPort, workerData } = require('node:worker_threads');
const cells = new Int32Array(workerData);
let seen = 0;
for (;;) {
  Atomics.wait(cells, ${asked}, seen);
  seen = Atomics.load(cells, ${asked});
  if (seen < 0) break;
  const us = Atomics.load(cells, ${delayUs});
  if (us <= 0 || Atomics.wait(cells, ${asked}, seen, us / 1000) === 'timed-out') parentPort.postMessage(seen);
}
parentPort.close();
`;

/** Delays beyond this are cut into pieces: the listener finds nothing due and asks again. */
const longestMs = 1000;

/**
 * A pacer finer than a millisecond without a busy loop: Node's timers only know whole milliseconds, which at a
 * thousand requests a second would send them in bursts and make every one late.
 */
export function threadPacer(): Pacer {
  const shared = new SharedArrayBuffer(8);
  const cells = new Int32Array(shared);
  const worker = new Worker(thread, { eval: true, workerData: shared });
  let wake: () => void = () => undefined;
  let count = 0;
  worker.on('message', (seen: number) => {
    if (seen === count) wake();
  });
  return {
    onWake(listener) {
      wake = listener;
    },
    wakeAfter(ms) {
      count = (count + 1) & 0x7fffffff;
      Atomics.store(cells, delayUs, Math.round(Math.min(ms, longestMs) * 1000));
      Atomics.store(cells, asked, count);
      Atomics.notify(cells, asked);
    },
    close() {
      count = -1;
      Atomics.store(cells, asked, -1);
      Atomics.notify(cells, asked);
    },
  };
}
