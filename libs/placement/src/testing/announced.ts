import type { Desire, ModelReport, WorkerAnnouncement } from '@shoal/bus';

/** An announcement of a worker with room for everything. */
export function worker(id: string, over: Partial<WorkerAnnouncement> = {}): WorkerAnnouncement {
  return { id, mode: 'explicit', memoryBytes: 1e9, gpus: 0, leaving: false, ...over };
}

/** What `id` says of model m, which it could load. */
export function report(id: string, over: Partial<ModelReport> = {}): ModelReport {
  return {
    worker: id,
    model: 'm',
    seen: '',
    own: false,
    memoryBytes: 1,
    gpu: false,
    applied: '',
    state: 'ABSENT',
    ...over,
  };
}

/** That somebody wants a model, by the asking r1. */
export function desire(over: Partial<Desire> = {}): Desire {
  return { request: 'r1', wanted: true, since: 0, at: 0, by: 'test', via: 'router', ...over };
}

/** Lets what a local bus has under way arrive. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
}
