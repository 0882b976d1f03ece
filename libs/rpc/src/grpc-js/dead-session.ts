import type { CancelTimer, Clock } from '@shoal/core';
import type { ServerHttp2Session } from 'node:http2';

/** How long after a call the connection is asked whether it lives. */
const restMs = 10_000;

/** How long the answer may take: a slow client's waits behind what it is sending. */
const answerMs = 60_000;

/** After that: an answer may have arrived while the process was busy. */
const lastChanceMs = 1000;

/**
 * Ends a connection that Node has given up without telling anybody. When a client resets streams faster than nghttp2
 * allows (1000 at once, then 33 a second; cancelled and expired calls are resets), nghttp2 sends GOAWAY, and from then on
 * Node 20 neither reads the connection nor closes it: its socket and its running calls would stay for ever. So a
 * connection that has had calls is pinged, and destroyed when no answer comes.
 */
export function endWhenDead(session: ServerHttp2Session, clock: Clock): void {
  let cancelTimer: CancelTimer | undefined;
  const rest = () => {
    cancelTimer?.();
    cancelTimer = undefined;
  };
  const ask = () => {
    // It is closing, and has not said so yet: to ask it would throw.
    if (session.destroyed) return rest();
    cancelTimer = clock.schedule(answerMs, () => {
      cancelTimer = clock.schedule(lastChanceMs, () => session.destroy());
    });
    // Not sent: others have asked, and nobody answers them either; the next call asks again.
    if (!session.ping(rest)) rest();
  };
  session.on('stream', () => {
    cancelTimer ??= clock.schedule(restMs, ask);
  });
  session.on('close', rest);
}
