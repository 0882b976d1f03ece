import { type Random, ShoalError } from '@shoal/core';

/** What a feature may be changed to. */
export type FeatureRule =
  | { readonly kind: 'fixed' }
  | { readonly kind: 'number' | 'integer'; readonly low: number; readonly high: number }
  | { readonly kind: 'category'; readonly values: readonly number[] };

/** The rows that may be proposed: those that differ from the explained one as the rules allow. */
export class CounterfactualSpace {
  readonly row: Float64Array;
  readonly rules: readonly FeatureRule[];
  /** Features that may change. */
  readonly open: readonly number[];

  /** @throws ShoalError INVALID_ARGUMENT for rules that allow nothing, or that the row itself cannot be measured by. */
  constructor(row: Float64Array, rules: readonly FeatureRule[]) {
    if (rules.length !== row.length)
      throw new ShoalError('INVALID_ARGUMENT', `${row.length} features need as many rules, got ${rules.length}`);
    for (const [f, rule] of rules.entries()) {
      const empty =
        (rule.kind === 'category' && rule.values.length === 0) ||
        (rule.kind === 'number' && !(rule.low <= rule.high)) ||
        (rule.kind === 'integer' && !(Math.ceil(rule.low) <= Math.floor(rule.high)));
      if (empty) throw new ShoalError('INVALID_ARGUMENT', `the rule of feature ${f} allows no value`);
    }
    this.row = row;
    this.rules = rules;
    this.open = [...rules.keys()].filter((f) => rules[f]?.kind !== 'fixed');
    if (this.open.length === 0) throw new ShoalError('INVALID_ARGUMENT', 'no feature may be changed');
  }

  /** Any value that a feature may have. */
  draw(feature: number, random: Random): number {
    const rule = this.rules[feature] as FeatureRule;
    if (rule.kind === 'fixed') return this.row[feature] as number;
    if (rule.kind === 'category') return rule.values[Math.floor(random.next() * rule.values.length)] as number;
    return this.allowed(feature, rule.low + random.next() * (rule.high - rule.low));
  }

  /** The value nearest to `value` that a feature may have; its own value always may stay. */
  allowed(feature: number, value: number): number {
    const own = this.row[feature] as number;
    const rule = this.rules[feature] as FeatureRule;
    if (rule.kind === 'fixed' || value === own) return own;
    if (rule.kind === 'category') return rule.values.includes(value) ? value : own;
    if (rule.kind === 'number') return Math.min(Math.max(value, rule.low), rule.high);
    return Math.min(Math.max(Math.round(value), Math.ceil(rule.low)), Math.floor(rule.high));
  }

  /** How far apart two rows are: the mean over features of the difference as a part of the range allowed; categories 0 or 1. */
  distance(a: Float64Array, b: Float64Array): number {
    let sum = 0;
    for (const f of this.open) {
      const rule = this.rules[f] as FeatureRule;
      const difference = Math.abs((a[f] as number) - (b[f] as number));
      if (difference === 0) continue;
      sum += rule.kind === 'number' || rule.kind === 'integer' ? difference / (rule.high - rule.low || 1) : 1;
    }
    return sum / this.row.length;
  }

  /** Features in which a row differs from the explained one. */
  changed(row: Float64Array): number[] {
    return this.open.filter((f) => row[f] !== this.row[f]);
  }
}
