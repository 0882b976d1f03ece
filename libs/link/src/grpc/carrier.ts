import { type Clock, ShoalError } from '@shoal/core';
import { type GrpcCarrier, type Renewable, type StreamCall, type TlsOptions, createServer, unixPath } from '@shoal/rpc';
import type { Link, LinkListener } from '../link';
import type { LinkEnd } from '../link-end';
import type { Hello } from '../messages';
import type { SharedMemoryBudget } from '../shared/shared-memory-budget';
import { type Connections, keepaliveOf } from './connections';
import { acceptedStream, linkService, openedStream } from './frame-streams';
import { StreamLink } from './stream-link';

/** How long an accepted stream may wait with its hello, and a link that is opened for the other end's. */
const helloTimeoutMs = 5000;

/** After the links have said goodbye, connections without a link are cut after this time. */
const drainMs = 100;

export interface GrpcCarrierOptions {
  readonly clock: Clock;
  readonly onError: (thrown: unknown) => void;
  /** What carries the streams. Default: rpc's. */
  readonly carrier?: GrpcCarrier;
  /** For links over unix sockets. */
  readonly sharedMemory?: SharedMemoryBudget;
  /** For links over TCP: unix sockets are guarded by the rights of their folder. */
  readonly tls?: Renewable<TlsOptions>;
}

/** Accepts links at `unix:PATH` or `HOST:PORT`. */
export async function listenGrpc(
  address: string,
  self: Hello,
  accept: (link: Link) => void,
  { clock, onError, carrier, sharedMemory, tls }: GrpcCarrierOptions,
): Promise<LinkListener> {
  const server = createServer({ clock, keepaliveMs: keepaliveOf(address), onError, ...(carrier && { carrier }) });
  const links = new Set<LinkEnd>();
  let closing = false;
  const connect = (call: StreamCall<Buffer, Buffer>) => {
    if (closing) return call.end(new ShoalError('UNAVAILABLE', 'the listener is closing'));
    let end: LinkEnd | undefined;
    const link = new StreamLink(acceptedStream(call), {
      side: 'accepting',
      clock,
      self,
      onError,
      ...sharing(address, sharedMemory),
      opened(opened) {
        cancelTimer();
        end = opened;
        links.add(opened);
        accept(opened);
      },
      over() {
        cancelTimer();
        if (end) links.delete(end);
      },
    });
    const noHello = new ShoalError('DEADLINE_EXCEEDED', 'no hello came');
    const cancelTimer = clock.schedule(helloTimeoutMs, () => link.abort(noHello));
  };
  server.addService(linkService, { Connect: connect }, { passthrough: ['Connect'] });
  const port = await server.listen(address, unixPath(address) === undefined ? tls : undefined);
  return {
    address: port === 0 ? address : `${address.slice(0, address.lastIndexOf(':'))}:${port}`,
    async close() {
      closing = true;
      await Promise.all([...links].map((link) => link.close()));
      await server.drain(drainMs);
    },
  };
}

/** Opens a link to `unix:PATH` or `HOST:PORT`. */
export function connectGrpc(
  address: string,
  self: Hello,
  { timeoutMs = helloTimeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal },
  { clock, onError, sharedMemory }: GrpcCarrierOptions,
  connections: Connections,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const connection = connections.share(address);
    let why = 'nobody answers';
    const giveUp = (reason: string) => {
      why = reason;
      link.abort(new ShoalError('UNAVAILABLE', reason));
    };
    const onAbort = () => giveUp('cancelled');
    const settled = () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    const link = new StreamLink(openedStream(connection.client.stream(linkService.Connect)), {
      side: 'opening',
      clock,
      self,
      onError,
      ...sharing(address, sharedMemory),
      opened(end) {
        settled();
        resolve(end);
      },
      over(error) {
        settled();
        connection.release();
        // Without effect when the link was open.
        reject(new ShoalError('UNAVAILABLE', `no link to ${address}: ${why}`, { cause: error }));
      },
    });
    const cancelTimer = clock.schedule(timeoutMs, () => giveUp(`no answer within ${timeoutMs} ms`));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Whoever is reached over a unix socket may be on this machine. */
function sharing(address: string, sharedMemory: SharedMemoryBudget | undefined) {
  return address.startsWith('unix:') && sharedMemory ? { sharedMemory } : {};
}
