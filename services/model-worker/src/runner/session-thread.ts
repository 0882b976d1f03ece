import { parentPort } from 'node:worker_threads';
import { systemClock } from '@shoal/core';
import { type ModelSession, openSession } from './model-session';
import { type FromThread, type ToThread, buffersOf } from './thread-messages';

/*
 * The thread that ONNX Runtime blocks: its Node binding creates sessions and runs them synchronously. It is never
 * terminated from outside while it runs (that aborts the process); the whole process is ended instead.
 */

let session: ModelSession | undefined;

function post(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'run') {
    // Nobody asks for a run before the session is loaded.
    const result = (session as ModelSession).run(message.feeds, message.fetches);
    post(result, [...result.spent, ...(result.kind === 'ran' ? buffersOf(result.outputs) : [])]);
  } else if (message.kind === 'load') {
    const opened = openSession(message, systemClock);
    session = opened.session;
    post(opened.outcome);
  } else {
    session = undefined;
    post({ kind: 'released' });
    parentPort?.close();
  }
});
