import { type ErrorCode, ShoalError, statusNumbers } from '@shoal/core';
import type { Announced, ModelPlan } from './plan';

/** How far an asking has come: 'done', 'waiting', or why it failed. */
export type Verdict = 'done' | 'waiting' | ShoalError;

/** What became of an asking, by what is announced. A load is done when all chosen workers serve it, an unload when nobody does. */
export function judge(announced: Announced, model: string, plan: ModelPlan): Verdict {
  const { desire, chosen, short } = plan;
  const said = announced.reports.get(model);
  if (desire === undefined) return 'waiting';
  if (!desire.wanted) {
    for (const report of said?.values() ?? []) {
      if (!announced.workers.has(report.worker)) continue;
      if (report.state !== 'ABSENT' || report.applied !== desire.request) return 'waiting';
    }
    return 'done';
  }
  if (!plan.decided) return 'waiting';
  let waiting = false;
  for (const worker of chosen) {
    const report = said?.get(worker);
    if (report?.applied !== desire.request || report.state === 'LOADING') waiting = true;
    else if (report.state === 'FAILED') return asError(report.failure);
    else if (report.state !== 'READY') waiting = true;
  }
  if (short) return asError(short);
  return waiting ? 'waiting' : 'done';
}

/** An error as it was announced. */
export function asError(said: { readonly code: string; readonly message: string } | undefined): ShoalError {
  if (said === undefined) return new ShoalError('INTERNAL', 'internal error');
  return new ShoalError(said.code in statusNumbers ? (said.code as ErrorCode) : 'INTERNAL', said.message);
}
