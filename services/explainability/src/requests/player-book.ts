import { invalid } from './refuse';

/** How the elements of one input (or the words of a text) are divided. */
export interface Division {
  readonly input: string;
  readonly count: number;
  /** [count]; undefined: each is its own. */
  readonly groups: ArrayLike<number> | undefined;
  /** That belong to nobody. */
  readonly fixed: readonly number[];
  /** What a player is called; `key`: its group, or the place of its one element. */
  readonly nameOf: (key: number) => string;
}

/** Numbers players in the order in which their first elements come; groups of the same number are one player over all inputs. */
export class PlayerBook {
  readonly names: string[] = [];
  /** [players]: the first input that it has elements of. */
  readonly inputOf: string[] = [];
  readonly sizes: number[] = [];
  readonly #most: number;
  readonly #numbers = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The player of each element; −1: nobody's. @throws ShoalError INVALID_ARGUMENT for more players than are allowed */
  divide({ input, count, groups, fixed, nameOf }: Division): Int32Array {
    const still = new Set(fixed);
    const beyond = fixed.find((at) => at >= count);
    if (beyond !== undefined) throw invalid(`explained: input '${input}' has no element ${beyond} that could be fixed`);
    return Int32Array.from({ length: count }, (_, at) => {
      if (still.has(at)) return -1;
      const group = groups?.[at];
      const key = group === undefined ? `${input} ${at}` : String(group);
      const player = this.#numbers.get(key) ?? this.#add(key, input, nameOf(group ?? at));
      this.sizes[player] = (this.sizes[player] as number) + 1;
      return player;
    });
  }

  #add(key: string, input: string, name: string): number {
    const player = this.sizes.length;
    if (player >= this.#most) {
      throw invalid(
        `what is explained has more than ${this.#most} features: put elements together in groups (explained.groups, explained.grid)`,
      );
    }
    this.#numbers.set(key, player);
    this.names.push(name);
    this.inputOf.push(input);
    this.sizes.push(0);
    return player;
  }
}
