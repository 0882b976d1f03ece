import { ShoalError } from '@shoal/core';
import { type TrafficChange, type TrafficRules, type TrafficState, noRules } from './traffic-rules';

/** Who changes rules, and when. */
export type Author = Pick<TrafficChange, 'by' | 'epochMs'>;

/** New rules for a model. */
export function withRules(
  model: string,
  before: TrafficState | undefined,
  rules: TrafficRules,
  author: Author,
): TrafficState {
  return next(model, before, rules, { action: 'set', ...author });
}

/** The canary as the stable version, alone. @throws ShoalError FAILED_PRECONDITION when there is no canary. */
export function promoted(model: string, before: TrafficState | undefined, author: Author): TrafficState {
  const canary = before?.rules.canary;
  if (!canary) throw new ShoalError('FAILED_PRECONDITION', `model '${model}' has no canary that could be promoted`);
  const { shadow } = before.rules;
  const keep = shadow && shadow.version !== canary.version;
  const rules = { stable: canary.version, ...(keep && { shadow }) };
  return next(model, before, rules, { action: 'promote', ...author });
}

/** The rules before the last change. @throws ShoalError FAILED_PRECONDITION when there were none ever. */
export function rolledBack(model: string, before: TrafficState | undefined, author: Author): TrafficState {
  if (!before) {
    throw new ShoalError('FAILED_PRECONDITION', `model '${model}' has no traffic rules that could be rolled back`);
  }
  return next(model, before, before.previous.rules, { action: 'rollback', ...author });
}

function next(
  model: string,
  before: TrafficState | undefined,
  rules: TrafficRules,
  changed: TrafficChange,
): TrafficState {
  const previous = before ? { rules: before.rules, changed: before.changed } : { rules: noRules };
  return { model, rules, changed, previous };
}
