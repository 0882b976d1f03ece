import type { ModelReport } from '@shoal/bus';
import type { ModelPlan } from '@shoal/placement';

/** What a worker knows of one model when it decides what to do. */
export interface Situation {
  /** This worker. */
  readonly me: string;
  readonly plan: ModelPlan;
  readonly own: ModelReport | undefined;
  /** What each worker says of it. */
  readonly said: ReadonlyMap<string, ModelReport> | undefined;
  readonly serving: boolean;
  /** The asking whose loading serves. */
  readonly servingRequest: string | undefined;
}

/**
 * What to do next: look at the repository for a new asking, load, unload; say that all is as it should be ('ready', 'absent'); forget the asking; nothing.
 */
export type Step = 'look' | 'load' | 'unload' | 'ready' | 'absent' | 'forget' | 'nothing';

/**
 * Make before break: who is no longer chosen keeps its copy until all that are serve theirs. A loading that failed is not tried
 * again before somebody asks for it.
 */
export function nextStep({ me, plan, own, said, serving, servingRequest }: Situation): Step {
  const { desire, wanted, decided, chosen } = plan;
  const request = desire?.request ?? '';
  if (desire?.wanted && own?.seen !== request) return 'look';
  if (own === undefined) return 'nothing';
  const isSettled = own.applied === request;
  if (!wanted) {
    // An asking that came to nothing, perhaps for a model that there is not.
    if (desire === undefined && !serving && own.seen !== '') return 'forget';
    if (isSettled && own.state === 'ABSENT') return 'nothing';
    return serving || desire !== undefined ? 'unload' : 'absent';
  }
  if (!decided) return 'nothing';
  const isReady = (worker: string) => {
    const report = said?.get(worker);
    return report?.applied === request && report.state === 'READY';
  };
  if (!chosen.includes(me)) {
    if (serving) return chosen.length > 0 && chosen.every(isReady) ? 'unload' : 'nothing';
    return isSettled && own.state === 'ABSENT' ? 'nothing' : 'absent';
  }
  if (isSettled && (own.state === 'READY' || own.state === 'FAILED')) return 'nothing';
  if (serving && servingRequest === request) return 'ready';
  if (desire?.rolling && !chosen.filter((worker) => worker < me).every(isReady)) return 'nothing';
  return 'load';
}
