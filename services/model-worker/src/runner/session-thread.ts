import { parentPort } from 'node:worker_threads';
import { systemClock } from '@shoal/core';
import type { ProviderCandidate } from '@shoal/repository';
import { InferenceSession, Tensor, type TypedTensor } from 'onnxruntime-node';
import type { SessionInfo } from '../control-messages';
import { missingLibrary } from './providers';
import { type FromThread, type ThreadTensor, type ToThread, buffersOf, isStrings } from './thread-messages';

/*
 * The thread that ONNX Runtime blocks: its Node binding creates sessions and runs them synchronously. It is never
 * terminated from outside while it runs (that aborts the process); the whole process is ended instead.
 */

let session: InferenceSession | undefined;

function post(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** One provider at a time: given several, ONNX Runtime fails as a whole when one of them does. */
async function load(order: Extract<ToThread, { kind: 'load' }>): Promise<void> {
  const passedOver: { candidate: ProviderCandidate; reason: string }[] = [];
  for (const candidate of order.candidates) {
    const missing = missingLibrary(candidate);
    if (missing !== undefined) {
      passedOver.push({ candidate, reason: missing });
      continue;
    }
    try {
      const provider =
        candidate.deviceId === undefined ? candidate.name : { name: candidate.name, deviceId: candidate.deviceId };
      const options = { ...order.sessionOptions, executionProviders: [provider] } as InferenceSession.SessionOptions;
      session = await InferenceSession.create(order.modelPath, options);
      post({ kind: 'loaded', info: infoOf(session), candidate, passedOver });
      return;
    } catch (thrown) {
      passedOver.push({ candidate, reason: textOf(thrown) });
    }
  }
  post({ kind: 'load-failed', reason: passedOver.at(-1)?.reason ?? 'no execution provider to try' });
}

function infoOf({ inputMetadata, outputMetadata }: InferenceSession): SessionInfo {
  return { inputMetadata, outputMetadata };
}

function feedOf(feed: ThreadTensor): Tensor {
  if (isStrings(feed.data)) return new Tensor('string', feed.data as string[], feed.dims);
  const type = feed.type as Exclude<Tensor.Type, 'string'>;
  return new Tensor(type, typedArray(type, feed.data), feed.dims) as TypedTensor<typeof type>;
}

/** ONNX Runtime checks the array's class against the type. */
function typedArray(type: string, buffer: ArrayBuffer): Tensor.DataTypeMap[Exclude<Tensor.Type, 'string'>] {
  const make = arrays[type];
  if (!make) throw new Error(`no element type ${type}`);
  return make(buffer) as Tensor.DataTypeMap[Exclude<Tensor.Type, 'string'>];
}

const arrays: Readonly<Record<string, (buffer: ArrayBuffer) => ArrayBufferView>> = {
  bool: (b) => new Uint8Array(b),
  uint8: (b) => new Uint8Array(b),
  uint16: (b) => new Uint16Array(b),
  uint32: (b) => new Uint32Array(b),
  uint64: (b) => new BigUint64Array(b),
  int8: (b) => new Int8Array(b),
  int16: (b) => new Int16Array(b),
  int32: (b) => new Int32Array(b),
  int64: (b) => new BigInt64Array(b),
  float16: (b) => new Uint16Array(b),
  float32: (b) => new Float32Array(b),
  float64: (b) => new Float64Array(b),
};

function outputOf(name: string, tensor: Tensor): ThreadTensor {
  if (tensor.type === 'string') {
    return { name, type: tensor.type, dims: tensor.dims, data: tensor.data as string[] };
  }
  const data = tensor.data as unknown as ArrayBufferView;
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength;
  const buffer = whole ? data.buffer : data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  return { name, type: tensor.type, dims: tensor.dims, data: buffer as ArrayBuffer };
}

/** Tries of a run that fails with a bare bad_alloc, which takes no time. */
const maxTries = 4;

/**
 * After a run that asked for too much memory, ONNX Runtime's arena wants to grow by as much the next time, whatever that
 * run needs; it fails it with a bare bad_alloc until it has backed off far enough. So such runs are tried again.
 */
async function runSteadily(
  made: InferenceSession,
  feeds: Record<string, Tensor>,
  fetches: readonly string[],
): Promise<InferenceSession.OnnxValueMapType> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await made.run(feeds, fetches);
    } catch (thrown) {
      if (tries >= maxTries || !textOf(thrown).includes('std::bad_alloc')) throw thrown;
    }
  }
}

async function run(order: Extract<ToThread, { kind: 'run' }>): Promise<void> {
  const began = systemClock.now();
  try {
    if (!session) throw new Error('no session');
    const feeds: Record<string, Tensor> = {};
    for (const feed of order.feeds) feeds[feed.name] = feedOf(feed);
    const results = await runSteadily(session, feeds, order.fetches);
    const inferMs = systemClock.now() - began;
    const outputs = order.fetches.map((name) => outputOf(name, results[name] as Tensor));
    post({ kind: 'ran', run: order.run, outputs, inferMs }, buffersOf(outputs));
  } catch (thrown) {
    const exhausted = thrown instanceof RangeError;
    post({ kind: 'failed', run: order.run, reason: textOf(thrown), exhausted, inferMs: systemClock.now() - began });
  }
}

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'load') void load(message);
  else if (message.kind === 'run') void run(message);
  else {
    session = undefined;
    post({ kind: 'released' });
    parentPort?.close();
  }
});
