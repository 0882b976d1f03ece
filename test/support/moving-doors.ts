import { credentials } from '@grpc/grpc-js';
import type { Door } from './cluster';
import { StockClient } from './stock-client';

/**
 * A client of each router that knows the others' addresses too, as from a name service, and never tries a call again. To
 * be closed by whoever asked for them.
 */
export function movingDoors(doors: readonly Door[]): Door[] {
  return doors.map((door) => {
    const addresses = [door, ...doors.filter((other) => other !== door)].map(({ address }) => address);
    return {
      ...door,
      client: new StockClient(`ipv4:${addresses.join(',')}`, credentials.createInsecure(), {
        'grpc.enable_retries': 0,
      }),
    };
  });
}
