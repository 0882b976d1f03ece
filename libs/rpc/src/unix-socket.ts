import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { ShoalError } from '@shoal/core';

/** Linux's sun_path holds 108 bytes, one of them the closing zero; longer paths are silently cut by some callers. */
const maxPathBytes = 107;

/** The path of a `unix:PATH` address; undefined for other addresses. */
export function unixPath(address: string): string | undefined {
  if (!address.startsWith('unix:')) return undefined;
  const path = address.slice('unix:'.length);
  // unix:///absolute is the URI form of the same.
  return path.startsWith('//') ? path.slice(2) : path;
}

/** @throws ShoalError INVALID_ARGUMENT when no socket can have this path. */
export function checkUnixPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes >= 1 && bytes <= maxPathBytes) return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `a unix socket's path has 1 to ${maxPathBytes} bytes, this one has ${bytes}; choose a shorter directory`,
  );
}

/** Removes the socket that a process left behind when it died; leaves alone one that still answers, and other files. */
export async function removeStaleSocket(path: string): Promise<void> {
  const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  if (!isSocket || (await answers(path))) return;
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const finish = (alive: boolean) => {
      probe.destroy();
      resolve(alive);
    };
    probe.once('connect', () => finish(true));
    // Only a refusal proves that nobody listens; a full backlog (EAGAIN) or lacking rights prove nothing.
    probe.once('error', (error: NodeJS.ErrnoException) => finish(error.code !== 'ECONNREFUSED'));
  });
}
