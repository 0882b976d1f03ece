import type { Clock } from '@shoal/core';
import type { Driver } from './driver';
import { Idle } from './idle';
import type { Recorder } from './recorder';
import type { OpenSender, Sender } from './sender';

/** After a failure a slot pauses so long: a server that refuses at once is not to be flooded. */
const pauseAfterFailureMs = 1;

/** A closed loop: `concurrency` slots, each sends its next request as soon as its last one is answered. */
export function closedLoop(concurrency: number, open: OpenSender, recorder: Recorder, clock: Clock): Driver {
  const sentAt = new Float64Array(concurrency);
  const idle = new Idle(clock);
  let inFlight = 0;
  let running = false;
  const sender: Sender = open((slot, error) => {
    const now = clock.now();
    const sent = sentAt[slot] as number;
    inFlight -= 1;
    recorder.record(sent, sent, now, error);
    if (!running) {
      if (inFlight === 0) idle.reached();
    } else if (error === undefined) send(slot, now);
    else clock.schedule(pauseAfterFailureMs, () => running && send(slot, clock.now()));
  });
  const send = (slot: number, now: number) => {
    sentAt[slot] = now;
    inFlight += 1;
    sender.send(slot);
  };
  return {
    start() {
      running = true;
      for (let slot = 0; slot < concurrency; slot++) send(slot, clock.now());
    },
    async stop(drainMs) {
      running = false;
      if (inFlight > 0) await idle.wait(drainMs);
      sender.close();
    },
    get inFlight() {
      return inFlight;
    },
  };
}
