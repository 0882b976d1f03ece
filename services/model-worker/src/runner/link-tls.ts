import type { Clock } from '@shoal/core';
import type { LinkTls } from '@shoal/link';
import { TlsFiles } from '@shoal/rpc';
import type { RunnerTls } from '../control-messages';

/** The supervisor follows the same files, and has a log. */
const noLog = { info: () => undefined, warn: () => undefined };

/** What the runner secures its links with; follows the files for as long as the process lives. */
export function linkTlsOf({ name, files, first }: RunnerTls, clock: Clock): LinkTls {
  const material = {
    cert: Buffer.from(first.cert),
    key: Buffer.from(first.key),
    ca: Buffer.from(first.ca),
  };
  return { name, material: new TlsFiles(files, material, clock, noLog) };
}
