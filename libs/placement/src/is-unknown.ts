import { type Bus, type CallOptions, type LookAnswer, type LookCall, instanceSubject, lookSubject } from '@shoal/bus';
import type { PlacementView } from './placement-view';

/** How long workers may take to say whether they have a model. */
const lookTimeoutMs = 2_000;

/**
 * Nobody has asked for this model, and every worker says that its repositories have it not: nothing need be written to find that out.
 * The store keeps a mark of each key that was ever written, so names that callers make up must not get there. What still leaves one: a
 * name with files of its own that do not load, and any name while a worker does not answer.
 */
export async function isUnknown(
  { bus, view }: { bus: Bus; view: PlacementView },
  model: string,
  trace?: CallOptions['trace'],
): Promise<boolean> {
  if (view.desires.has(model) || view.reports.has(model)) return false;
  const asked = [...view.workers.keys()].map((worker) => {
    const subject = instanceSubject(lookSubject, worker);
    return bus.call<LookCall, LookAnswer>(subject, { model }, { timeoutMs: lookTimeoutMs, trace });
  });
  const answers = await Promise.allSettled(asked);
  return answers.length > 0 && answers.every((answer) => answer.status === 'fulfilled' && !answer.value.found);
}
