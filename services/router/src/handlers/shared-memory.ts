import { ShoalError } from '@shoal/core';
import { errorTexts } from '@shoal/protocol';
import type { Handlers } from '@shoal/rpc';
import type { Regions } from '../shared-memory/regions';

interface NamedRequest {
  readonly name: string;
}

interface RegisterRequest extends NamedRequest {
  readonly key: string;
  readonly offset: number;
  readonly byte_size: number;
}

const disabled = 'shared memory of clients is not allowed on this server; it is started with --allow-client-shm=true';
const noCuda = 'CUDA shared memory is not supported: the server cannot open memory of another process on a GPU';

/**
 * The shared memory calls. Where clients may not use it, and for CUDA, only registering is refused: clients ask for the
 * status and unregister by way of tidying up, with nothing there.
 * @param regions Undefined where clients may not use shared memory.
 */
export function sharedMemoryHandlers(regions: Regions | undefined): Handlers {
  return {
    SystemSharedMemoryStatus({ name }: NamedRequest) {
      const found = regions ? regions.status(name) : nothing('system', name);
      const entries = found.map((spec) => [
        spec.name,
        { name: spec.name, key: spec.key, offset: spec.offset, byte_size: spec.byteSize },
      ]);
      return { regions: Object.fromEntries(entries) as object };
    },
    SystemSharedMemoryRegister({ name, key, offset, byte_size: byteSize }: RegisterRequest) {
      if (!regions) throw new ShoalError('UNAVAILABLE', disabled);
      regions.register({ name, key, offset, byteSize });
      return {};
    },
    SystemSharedMemoryUnregister({ name }: NamedRequest) {
      regions?.unregister(name);
      return {};
    },
    CudaSharedMemoryStatus({ name }: NamedRequest) {
      nothing('cuda', name);
      return { regions: {} };
    },
    CudaSharedMemoryRegister() {
      throw new ShoalError('UNIMPLEMENTED', noCuda);
    },
    CudaSharedMemoryUnregister: () => ({}),
  };
}

function nothing(kind: string, name: string): readonly never[] {
  if (name === '') return [];
  throw new ShoalError('NOT_FOUND', `Unable to find ${kind} shared memory region: '${errorTexts.clip(name)}'`);
}
