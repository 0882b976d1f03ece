import { type FlagTable, parseFlags } from '@shoal/config';
import { ShoalError, systemClock } from '@shoal/core';
import { askHealth } from './ask';

/** What `shoal health` can be told. */
export const healthFlags = {
  url: {
    name: 'url',
    type: 'string',
    default: '127.0.0.1:8001',
    value: 'HOST:PORT',
    help: 'The server to ask, without TLS: what --health-address names, or the gRPC port where that has none.',
  },
  service: {
    name: 'service',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'Whose health; empty: whether the server should be sent requests. At --health-address also liveness: whether the process answers at all.',
  },
  timeoutMs: {
    name: 'timeout-ms',
    type: 'integer',
    default: 2500,
    min: 1,
    max: 3_600_000,
    value: 'MS',
    help: 'No answer within this time counts as not serving.',
  },
} as const satisfies FlagTable;

/** More does not fit into the question's one byte of length. */
const maxServiceBytes = 127;

/**
 * Asks a server for its health; resolves with the exit code: 0 = it serves, 1 = anything else, which it says on stderr.
 * @throws ShoalError INVALID_ARGUMENT for wrong options.
 */
export async function health(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  complain: (line: string) => void,
): Promise<number> {
  const { url, service, timeoutMs } = parseFlags(healthFlags, { argv, env });
  if (!/^(\[[^\]]+\]|[^:/]+):\d{1,5}$/.test(url)) {
    throw new ShoalError('INVALID_ARGUMENT', `--url=${url}: expected HOST:PORT`);
  }
  if (Buffer.byteLength(service) > maxServiceBytes) {
    throw new ShoalError('INVALID_ARGUMENT', `--service: expected up to ${maxServiceBytes} bytes`);
  }
  const wrong = await askHealth({ address: url, service, timeoutMs }, systemClock);
  if (wrong !== undefined) complain(`${url}: ${wrong}`);
  return wrong === undefined ? 0 : 1;
}
