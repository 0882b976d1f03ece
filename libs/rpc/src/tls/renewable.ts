/** What is replaced from time to time while it is used. */
export interface Renewable<T> {
  /** The same object until it is replaced. */
  readonly current: T;
  /** Calls back after each replacement; returns how to end that. */
  onRenewed(renewed: (value: T) => void): () => void;
}

/** Tells something that may be replaced from what stays as it is. */
export function isRenewable<T extends object>(value: T | Renewable<T>): value is Renewable<T> {
  return 'onRenewed' in value;
}

/** The same, seen through `change`. */
export function mapRenewable<A, B>(source: Renewable<A>, change: (value: A) => B): Renewable<B> {
  let seen = source.current;
  let changed = change(seen);
  const look = () => {
    if (source.current !== seen) {
      seen = source.current;
      changed = change(seen);
    }
    return changed;
  };
  return {
    get current() {
      return look();
    },
    onRenewed: (renewed) => source.onRenewed(() => renewed(look())),
  };
}
