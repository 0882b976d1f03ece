import type { Arrivals, Clock } from '@shoal/core';
import type { Driver } from './driver';
import { Idle } from './idle';
import type { Pacer } from './pacer';
import type { Recorder } from './recorder';
import type { OpenSender, Sender } from './sender';

export interface OpenLoopOptions {
  readonly arrivals: Arrivals;
  /** With all of them waiting for answers, due requests wait for a free slot; their latency counts from when they were due. */
  readonly maxInFlight: number;
  readonly pacer: Pacer;
}

/** An open loop: requests are sent when they are due, whether or not earlier ones have been answered. */
export function openLoop(options: OpenLoopOptions, open: OpenSender, recorder: Recorder, clock: Clock): Driver {
  const { arrivals, maxInFlight, pacer } = options;
  const intendedAt = new Float64Array(maxInFlight);
  const sentAt = new Float64Array(maxInFlight);
  /** A stack of the free slots: the lowest are used first, so that few are ever touched. */
  const free = Uint32Array.from({ length: maxInFlight }, (_, i) => maxInFlight - 1 - i);
  const busy = new Uint8Array(maxInFlight);
  const idle = new Idle(clock);
  let freeCount = maxInFlight;
  let running = false;
  let sending = false;
  let startedAt = 0;
  let due = 0;
  const sender: Sender = open((slot, error) => {
    busy[slot] = 0;
    free[freeCount] = slot;
    freeCount += 1;
    recorder.record(intendedAt[slot] as number, sentAt[slot] as number, clock.now(), error);
    if (!running && freeCount === maxInFlight) idle.reached();
    // A slot that was waited for.
    else if (freeCount === 1) sendDue();
  });

  const sendDue = () => {
    // A sender that answers at once comes back here.
    if (sending || !running) return;
    sending = true;
    let now = clock.now();
    while (freeCount > 0 && due <= now) {
      freeCount -= 1;
      const slot = free[freeCount] as number;
      busy[slot] = 1;
      intendedAt[slot] = due;
      sentAt[slot] = now;
      due = startedAt + arrivals.next();
      sender.send(slot);
      now = clock.now();
    }
    sending = false;
    // With no slot free, the next answer comes back here.
    if (freeCount > 0) pacer.wakeAfter(due - now);
  };
  pacer.onWake(sendDue);

  return {
    start() {
      running = true;
      startedAt = clock.now();
      due = startedAt + arrivals.next();
      sendDue();
    },
    async stop(drainMs) {
      running = false;
      pacer.close();
      if (freeCount < maxInFlight) await idle.wait(drainMs);
      for (let slot = 0; slot < maxInFlight; slot++) {
        if (busy[slot] === 1) recorder.unanswered(intendedAt[slot] as number);
      }
      sender.close();
    },
    get inFlight() {
      return maxInFlight - freeCount;
    },
  };
}
