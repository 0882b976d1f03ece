import { type NetConnectOpts, Socket } from 'node:net';

/**
 * Sockets are read into this one buffer: whoever is told of bytes uses them up, or copies them, before the call returns, and the
 * next read comes after that. Node's way, a fresh 64 KiB buffer for each read, costs a large message a third of its time.
 */
const buffer = Buffer.allocUnsafeSlow(262_144);

/** For `net.connect`: its sockets read into a buffer that all share, and call `receive` with what lies there. */
export function staticReads(receive: (bytes: Buffer) => void): Pick<NetConnectOpts, 'onread'> {
  return {
    onread: {
      buffer,
      callback(count: number) {
        receive(buffer.subarray(0, count));
        return true;
      },
    },
  };
}

/** Node's own name for the system's side of a socket. */
const handleName = '_handle';

interface Inside {
  [handleName]?: { useUserBuffer?(bytes: Buffer): void } | null;
}

/**
 * The same for a socket that a server with `pauseOnConnect` has accepted: Node offers it only to sockets at their making, so the
 * connection moves to a new one. Undefined where this Node has other insides: then the socket is as it was.
 */
export function withStaticReads(accepted: Socket, receive: (bytes: Buffer) => void): Socket | undefined {
  const inside = accepted as unknown as Inside;
  const handle = inside[handleName];
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  inside[handleName] = null;
  // It has nothing left to close; its server's books are kept right.
  accepted.destroy();
  const options = { ...staticReads(receive), handle, readable: true, writable: true };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}
