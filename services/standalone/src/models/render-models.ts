import { renderColumns } from '../columns';
import type { Model, Replica, Worker } from './messages';

/** `shoal models`: a line for each worker that is to serve a model, serves it or failed to, or one for a model that none has. */
export function renderModels(models: readonly Model[]): string {
  if (models.length === 0) return 'No worker has a model.';
  const rows = models.flatMap((model) => {
    const telling = model.workers.filter(({ worker, state }) => state !== 'ABSENT' || model.chosen.includes(worker));
    const lines = telling.map((replica) => [replica.worker, versionsOf(replica), statusOf(replica)]);
    if (model.reason !== '' || lines.length === 0) lines.push(['-', '-', model.reason || refusalOf(model)]);
    return lines.map((line, i) => [i === 0 ? model.name : '', i === 0 ? wantedOf(model) : '', ...line]);
  });
  return renderColumns(['Model', 'Wanted', 'Worker', 'Version', 'Status'], rows);
}

/** `shoal workers`. */
export function renderWorkers(workers: readonly Worker[]): string {
  if (workers.length === 0) return 'No model-worker is there.';
  const rows = workers.map((one) => [
    one.id,
    one.leaving ? `${one.mode}, ending` : one.mode,
    `${megabytes(one.memory_used_bytes)} of ${megabytes(one.memory_bytes)} MB`,
    String(one.gpus),
    one.models.join(', ') || '-',
  ]);
  return renderColumns(['Worker', 'Mode', 'Memory placed', 'GPUs', 'Serves'], rows);
}

function wantedOf({ wanted, by_request: byRequest, replicas }: Model): string {
  if (!wanted) return byRequest ? 'no, by request' : 'no';
  const count = replicas.replicas === 'all' ? 'all' : String(replicas.count);
  return byRequest ? `${count}, by request` : count;
}

function versionsOf({ versions }: Replica): string {
  const ready = versions.filter(({ state }) => state === 'READY').map(({ version }) => version);
  return ready.join(', ') || '-';
}

function statusOf({ state, reason }: Replica): string {
  return reason === '' ? state : `${state}: ${reason}`;
}

function refusalOf({ workers }: Model): string {
  return workers.find(({ reason }) => reason !== '')?.reason ?? 'not loaded';
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
