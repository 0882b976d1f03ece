import type { TlsFiles } from '@shoal/rpc';
import type { RunnerTls } from '../control-messages';

/** What a runner is told of the files that its links are secured with. */
export function runnerTls({ files, current }: TlsFiles, name: string): RunnerTls {
  const text = (pem: Buffer | undefined) => pem?.toString() ?? '';
  return { name, files, first: { cert: text(current.cert), key: text(current.key), ca: text(current.ca) } };
}
