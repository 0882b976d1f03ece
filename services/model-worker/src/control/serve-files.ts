import { type ModelFileAnswer, type ModelFileCall, instanceSubject, modelFileSubject } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { readBounded } from '@shoal/repository';
import type { WorkerContext } from '../worker-context';
import type { ModelControl } from './model-control';

/** Gives the files of versions that serve here to who looks into models; until the returned function is called. */
export function serveFiles({ bus, worker, logger }: WorkerContext, control: ModelControl): () => void {
  return bus.serve<ModelFileCall, ModelFileAnswer>(instanceSubject(modelFileSubject, worker), async (call) => {
    const name = `model '${call.model}' version ${call.version}`;
    const file = control.fileOf(call);
    if (file === undefined) throw new ShoalError('ABORTED', `${name} is not served any more as it was: ask again`);
    let bytes: Buffer;
    try {
      bytes = await readBounded(file, call.maxBytes);
    } catch (cause) {
      // Its message names no path.
      const reason = cause instanceof Error ? cause.message : 'unknown';
      logger.warn(`the file of ${name} cannot be read: ${reason}`);
      throw new ShoalError('FAILED_PRECONDITION', `${name} cannot be looked into: its file is ${reason}`, { cause });
    }
    return { digest: await bus.blobs.put(bytes), bytes: bytes.length };
  });
}
