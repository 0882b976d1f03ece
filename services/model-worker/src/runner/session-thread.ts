import { parentPort } from 'node:worker_threads';
import { systemClock } from '@shoal/core';
import { type ModelSession, openSession } from './model-session';
import { holdThread } from './simulated-device';
import { type FromThread, type RunResult, type ToThread, buffersOf } from './thread-messages';

/*
 * The thread that ONNX Runtime blocks: its Node binding creates sessions and runs them synchronously. It is never
 * terminated from outside while it runs (that aborts the process); the whole process is ended instead.
 */

let session: ModelSession | undefined;
let deviceMs = 0;

function post(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'run') {
    // Nobody asks for a run before the session is loaded.
    const ran = (session as ModelSession).run(message.feeds, message.fetches);
    const result = deviceMs === 0 ? ran : onDevice(ran, deviceMs);
    post(result, [...result.spent, ...(result.kind === 'ran' ? buffersOf(result.outputs) : [])]);
  } else if (message.kind === 'load') {
    const opened = openSession(message, systemClock);
    session = opened.session;
    deviceMs = message.simulatedDeviceMs;
    post(opened.outcome);
  } else {
    session = undefined;
    post({ kind: 'released' });
    parentPort?.close();
  }
});

/** The run as if a device had taken `ms` for it. */
function onDevice(ran: RunResult, ms: number): RunResult {
  holdThread(ms);
  return { ...ran, inferMs: ran.inferMs + ms };
}
