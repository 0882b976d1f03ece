import type { Predicate } from './found';
import { figure } from './text';

/** For example `1.6 < petal length ≤ 4.9`. */
export function predicateText({ above, upTo, equal }: Predicate, name: string): string {
  if (equal !== undefined) return `${name} = ${figure(equal, 6)}`;
  if (above === undefined && upTo === undefined) return `${name} is there`;
  if (above === undefined) return `${name} ≤ ${figure(upTo as number, 6)}`;
  if (upTo === undefined) return `${name} > ${figure(above, 6)}`;
  return `${figure(above, 6)} < ${name} ≤ ${figure(upTo, 6)}`;
}

/** A part of one, in percent. */
export function percent(part: number): string {
  return `${figure(100 * part, 3)} %`;
}
