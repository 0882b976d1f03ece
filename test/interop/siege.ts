import { readFileSync, writeFileSync } from 'node:fs';
import { flags, frameTypes } from '../../libs/http2/src/frames/constants';
import { frame, request } from '../../libs/http2/src/testing/frames';
import { RawPeer } from '../../libs/http2/src/testing/raw-peer';
import { cpuTicks, residentMb } from '../support/processes';
import type { Shoal } from '../support/shoal';
import { isSimpleAnswer, simpleRequest } from '../support/tensors';
import { within } from '../support/waiting';

/** What an attack cost the server's process, runners not counted. */
export interface Toll {
  /** By how much its memory grew at the worst moment, in MB. */
  readonly memoryMb: number;
  /** CPU time it took, the neighbour's calls included, in ms. */
  readonly cpuMs: number;
  /** The neighbour's calls that were answered meanwhile. */
  readonly served: number;
}

/**
 * Attacks a running server while a neighbour, a stock client on a connection of its own, asks and asks.
 * @throws Error when the neighbour waits for more than ten seconds, or gets a wrong answer.
 */
export async function besiege(shoal: Shoal, attack: () => Promise<void>): Promise<Toll> {
  const before = residentMb(shoal.pid);
  resetPeak(shoal.pid);
  const cpuBefore = cpuMs(shoal.pid);
  let served = 0;
  const over = new AbortController();
  const neighbour = (async () => {
    while (!over.signal.aborted || served === 0) {
      const answer = await within('an answer for the neighbour', shoal.client.infer(simpleRequest(served)), 10_000);
      if (!isSimpleAnswer(answer, served)) throw new Error('the neighbour got a wrong answer');
      served += 1;
    }
  })();
  const attacked = attack().finally(() => over.abort());
  await Promise.all([attacked, neighbour]);
  return { memoryMb: peakMb(shoal.pid) - before, cpuMs: cpuMs(shoal.pid) - cpuBefore, served };
}

/** The headers of a gRPC call, and its one message where there is one. */
export function call(streamId: number, path: string, message?: Buffer, ends = true): Buffer {
  const head = request(streamId, false, path, 'content-type', 'application/grpc', 'te', 'trailers');
  return message === undefined ? head : Buffer.concat([head, data(streamId, prefixed(message), ends)]);
}

/** DATA frames. */
export function data(streamId: number, bytes: Buffer, ends = false): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 16_384) {
    const part = bytes.subarray(at, at + 16_384);
    const last = at + 16_384 >= bytes.length;
    frames.push(frame(frameTypes.DATA, ends && last ? flags.END_STREAM : 0, streamId, part));
  }
  return Buffer.concat(frames);
}

/** A message behind its prefix (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export function prefixed(message: Buffer, { length = message.length, compressed = false } = {}): Buffer {
  const prefix = Buffer.from([compressed ? 1 : 0, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** A connection of an attacker to the server. */
export function attacker(shoal: Shoal, ...settings: [number, number][]): Promise<RawPeer> {
  return RawPeer.open(portOf(shoal), ...settings);
}

export function portOf(shoal: Shoal): number {
  return Number(/:(\d+)$/.exec(shoal.address)?.[1]);
}

/** The kernel forgets the highest memory it has seen. */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function peakMb(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

/** CPU time of a process so far, in steps of ten milliseconds. */
function cpuMs(pid: number): number {
  return 10 * cpuTicks(pid);
}
