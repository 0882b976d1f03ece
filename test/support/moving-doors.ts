import { credentials } from '@grpc/grpc-js';
import type { Door } from './cluster';
import { StockClient } from './stock-client';

/** For so long such a client does not look again at an address where nobody listened. */
export const backOffMs = 200;

/**
 * A client of each router that knows the others' addresses too, as from a name service, with gRPC's own
 * settings: it begins a call anew only if that never left it, which happens to what waits to be written when the server
 * says that it goes. To be closed by whoever asked for them.
 */
export function movingDoors(doors: readonly Door[]): Door[] {
  return doors.map((door) => {
    const addresses = [door, ...doors.filter((other) => other !== door)].map(({ address }) => address);
    return {
      ...door,
      client: new StockClient(`ipv4:${addresses.join(',')}`, credentials.createInsecure(), {
        'grpc.initial_reconnect_backoff_ms': backOffMs,
        'grpc.max_reconnect_backoff_ms': backOffMs,
      }),
    };
  });
}
