import { derivedFrom } from '@shoal/bus';

/** A set of models, with those that are derived from them: exact names, and names in which each `*` stands for any text. */
export class ModelNames {
  readonly #all: boolean;
  readonly #exact = new Set<string>();
  /** What is between the stars. */
  readonly #globs: (readonly string[])[] = [];

  constructor(patterns: readonly string[]) {
    this.#all = patterns.includes('*');
    for (const pattern of patterns) {
      if (pattern.includes('*')) this.#globs.push(pattern.split('*'));
      else this.#exact.add(pattern);
    }
  }

  /** Every name is in it, whatever it is. */
  get all(): boolean {
    return this.#all;
  }

  has(name: string): boolean {
    if (this.#all || this.#exact.has(name)) return true;
    if (this.#globs.some((parts) => matches(parts, name))) return true;
    const base = derivedFrom(name);
    return base !== undefined && this.has(base);
  }
}

/** The first part at the beginning, the last at the end, the others in between as early as possible: no going back. */
function matches(parts: readonly string[], name: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
