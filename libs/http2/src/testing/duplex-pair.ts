import { Duplex } from 'node:stream';
import { seededRandom, systemClock } from '@shoal/core';
import type { ClientConnection } from '../client-connection';
import type { CloseReason } from '../connection';
import { ServerConnection } from '../server-connection';
import { clientOn } from './example-client';
import { echo } from './example-server';

/** A client and an echoing server joined in memory, by a wire that cuts what it carries at random places. */
export function duplexPair(seed = 1): { client: ClientConnection; server: ServerConnection; ends: CloseReason[] } {
  const random = seededRandom(seed);
  const ends: CloseReason[] = [];
  const onClosed = (reason: CloseReason) => void ends.push(reason);
  const [near, far] = wire(() => 1 + Math.floor(random.next() * 3000));
  const server = new ServerConnection(far, {
    clock: systemClock,
    random,
    onClosed,
    onRequest(stream, block) {
      stream.user = { path: block.path?.value ?? '', body: [] };
      return echo;
    },
  });
  return { client: clientOn(near, { onClosed }), server, ends };
}

function wire(cut: () => number): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const make = (other: () => Duplex) =>
    new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        // The buffer is the writer's again afterwards.
        const bytes = Buffer.from(chunk);
        for (let at = 0; at < bytes.length;) {
          const next = Math.min(bytes.length, at + cut());
          other().push(bytes.subarray(at, next));
          at = next;
        }
        setImmediate(() => done());
      },
      final(done) {
        other().push(null);
        done();
      },
      destroy(error, done) {
        other().push(null);
        done(error);
      },
    });
  ends.push(
    make(() => ends[1]!),
    make(() => ends[0]!),
  );
  return [ends[0]!, ends[1]!];
}
