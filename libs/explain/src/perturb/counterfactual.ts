import { seededRandom, ShoalError } from '@shoal/core';
import { rowEstimator, type RowPlan } from '../asking';
import type { RowEstimator } from '../estimator';
import { shuffleFront } from '../games/shuffle';
import { CounterfactualSpace, type FeatureRule } from './counterfactual-space';
import type { DataSet } from './grid';
import { shortfall, type Wanted } from './wanted';

export interface CounterfactualOptions {
  /** The explained row, [features]. */
  readonly row: Float64Array;
  /** What each feature may be changed to. */
  readonly rules: readonly FeatureRule[];
  readonly wanted: Wanted;
  /** How many, different from each other. */
  readonly count?: number;
  /** Rows to start from besides random ones: those of the data that are as wanted. */
  readonly examples?: DataSet | undefined;
  readonly population?: number;
  readonly generations?: number;
  /** Evaluations at most. */
  readonly budget?: number;
  /** Weights of being near the row, of changing few features, and of differing from one another. */
  readonly proximity?: number;
  readonly sparsity?: number;
  readonly diversity?: number;
  readonly seed: number;
}

/** A row for which the model said what was wanted. */
export interface Counterfactual {
  readonly row: Float64Array;
  /** What the model said of it, [outputs]. */
  readonly values: Float64Array;
  /** Features that differ from the explained row's, ascending. */
  readonly changed: readonly number[];
  /** Mean change as a part of each feature's range. */
  readonly distance: number;
}

export interface CounterfactualResult {
  /** Best first; fewer than were asked for, or none, where no more were found. */
  readonly counterfactuals: readonly Counterfactual[];
  /** The model says what is wanted of the explained row already. */
  readonly already: boolean;
  readonly stopReason: 'target_error' | 'budget';
  readonly evaluations: number;
}

/** A row and what is known of it. `wrong`: how far the model's answer is from what is wanted, 0 = there. */
interface Candidate {
  readonly row: Float64Array;
  readonly values: Float64Array;
  readonly wrong: number;
  readonly loss: number;
}

/** Generations without progress after which the search ends. */
const patience = 5;
/** Rounds in which what was found is moved nearer to the row. */
const refinements = 30;

/** What is left to do: find some, then move them nearer to the row. */
type Phase = 'own' | 'search' | 'refine' | 'done';

class CounterfactualPlan implements RowPlan<CounterfactualResult> {
  readonly width: number;
  private readonly space: CounterfactualSpace;
  private readonly options: Required<Omit<CounterfactualOptions, 'examples'>> & Pick<CounterfactualOptions, 'examples'>;
  private readonly random;
  private phase: Phase = 'own';
  /** This round's questions, and how many of them were given out and answered. */
  private asked: Float64Array[];
  private written = 0;
  private answered: Candidate[] = [];
  private evaluations = 0;
  private round = 0;
  private idle = 0;
  private population: Candidate[] = [];
  private chosen: Candidate[] = [];
  private score = Infinity;
  /** Of each of `chosen`: no better neighbour was found. */
  private settled = new Set<Candidate>();
  private owners: Candidate[] = [];
  private already = false;
  private overBudget = false;

  constructor(options: CounterfactualOptions) {
    this.space = new CounterfactualSpace(options.row, options.rules);
    this.options = {
      count: 1,
      population: 100,
      generations: 100,
      budget: 100_000,
      proximity: 0.2,
      sparsity: 0.2,
      diversity: 5,
      ...options,
    };
    const { count, population, budget, examples, row } = this.options;
    if (!(count >= 1 && population >= 4 && population >= count && budget > population))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `counterfactuals need a population of at least 4 and as many as asked for, and a larger budget; got ${count}, ${population} and ${budget}`,
      );
    if (examples !== undefined && examples.features !== row.length)
      throw new ShoalError('INVALID_ARGUMENT', `examples must have ${row.length} features, got ${examples.features}`);
    this.width = row.length;
    this.random = seededRandom(options.seed);
    this.asked = [row];
  }

  get done(): boolean {
    return this.phase === 'done';
  }

  write(rows: Float64Array, at: number): boolean {
    const row = this.asked[this.written];
    if (row === undefined) return false;
    this.written++;
    rows.set(row, at);
    return true;
  }

  take(values: Float64Array): void {
    this.evaluations++;
    this.answered.push(this.judge(this.asked[this.answered.length] as Float64Array, values.slice()));
    if (this.answered.length < this.asked.length) return;
    const answered = this.answered;
    [this.asked, this.written, this.answered] = [[], 0, []];
    if (this.phase === 'own') this.begin(answered[0] as Candidate);
    else if (this.phase === 'search') this.nextGeneration(answered);
    else this.refine(answered);
    if (this.evaluations + this.asked.length <= this.options.budget) return;
    [this.overBudget, this.phase] = [true, 'done'];
  }

  private judge(row: Float64Array, values: Float64Array): Candidate {
    const { proximity, sparsity } = this.options;
    const wrong = shortfall(this.options.wanted, values);
    const changes = this.space.changed(row).length / this.width;
    return {
      row,
      values,
      wrong,
      loss: wrong + proximity * this.space.distance(row, this.space.row) + sparsity * changes,
    };
  }

  private begin(own: Candidate): void {
    if (own.wrong === 0) {
      [this.already, this.phase] = [true, 'done'];
      return;
    }
    this.phase = 'search';
    const { population, examples } = this.options;
    const { space, random } = this;
    const rows = examples === undefined ? 0 : examples.rows.length / examples.features;
    const open = Int32Array.from(space.open);
    for (let i = 0; i < population; i++) {
      const row = space.row.slice();
      if (rows > 0 && i % 2 === 0) {
        const from = Math.floor(random.next() * rows) * this.width;
        for (const f of open) row[f] = space.allowed(f, examples?.rows[from + f] as number);
      } else {
        const changes = 1 + Math.floor(random.next() * open.length);
        shuffleFront(open, changes, random);
        for (const f of open.subarray(0, changes)) row[f] = space.draw(f, random);
      }
      this.asked.push(row);
    }
  }

  private nextGeneration(answered: readonly Candidate[]): void {
    const { population, count, generations } = this.options;
    const all = different([...this.chosen, ...this.population, ...answered]);
    // Those that are as wanted come first, however near the others are.
    all.sort((a, b) => Number(a.wrong > 0) - Number(b.wrong > 0) || a.loss - b.loss);
    this.population = all.slice(0, population);
    const score = this.choose(all);
    this.idle = score < this.score - 1e-9 ? 0 : this.idle + 1;
    this.score = Math.min(this.score, score);
    if (++this.round >= generations || (this.chosen.length >= count && this.idle >= patience)) {
      this.phase = 'refine';
      this.propose();
      return;
    }
    const parents = this.population.slice(0, Math.max(2, population >> 1));
    for (let i = 0; i < population; i++) this.asked.push(this.offspring(parents));
  }

  /** Picks those that are as wanted: the best, then each next one as good and as far from those before it as can be had. */
  private choose(all: readonly Candidate[]): number {
    const { count, diversity } = this.options;
    const left = all.filter(({ wrong }) => wrong === 0);
    if (left.length === 0) return Infinity;
    const chosen: Candidate[] = [];
    let total = 0;
    while (chosen.length < count && left.length > 0) {
      let [best, least] = [0, Infinity];
      for (const [i, { row, loss }] of left.entries()) {
        const apart = chosen.reduce((near, other) => Math.min(near, this.space.distance(row, other.row)), Infinity);
        const cost = loss - (chosen.length === 0 ? 0 : diversity * apart);
        if (cost < least) [best, least] = [i, cost];
      }
      total += least;
      chosen.push(...left.splice(best, 1));
    }
    this.chosen = chosen;
    // Finding one more is progress, whatever it costs.
    return total - 1e6 * chosen.length;
  }

  private offspring(parents: readonly Candidate[]): Float64Array {
    const { space, random } = this;
    const pick = () => (parents[Math.floor(random.next() * parents.length)] as Candidate).row;
    const [a, b] = [pick(), pick()];
    const row = space.row.slice();
    for (const f of space.open) {
      const u = random.next();
      if (u < 0.4) row[f] = a[f] as number;
      else if (u < 0.8) row[f] = b[f] as number;
      else if (u < 0.9) row[f] = space.draw(f, random);
    }
    return row;
  }

  /** Neighbours of each of the chosen that are nearer to the explained row: one feature as it was, or half the way back. */
  private propose(): void {
    const { space } = this;
    this.owners = [];
    for (const owner of this.chosen) {
      if (this.settled.has(owner)) continue;
      for (const f of space.changed(owner.row)) {
        const [own, now] = [space.row[f] as number, owner.row[f] as number];
        const half = space.rules[f]?.kind === 'category' ? own : space.allowed(f, (own + now) / 2);
        for (const value of half === own || half === now ? [own] : [own, half]) {
          const row = owner.row.slice();
          row[f] = value;
          this.asked.push(row);
          this.owners.push(owner);
        }
      }
    }
    if (this.asked.length === 0) this.phase = 'done';
  }

  private refine(answered: readonly Candidate[]): void {
    const better = new Map<Candidate, Candidate>();
    for (const [i, candidate] of answered.entries()) {
      const owner = this.owners[i] as Candidate;
      if (candidate.wrong === 0 && candidate.loss < (better.get(owner) ?? owner).loss - 1e-9)
        better.set(owner, candidate);
    }
    for (const owner of this.owners) if (!better.has(owner)) this.settled.add(owner);
    const moved = this.chosen.map((owner) => better.get(owner) ?? owner);
    this.chosen = different(moved);
    if (++this.round > this.options.generations + refinements || better.size === 0) this.phase = 'done';
    else this.propose();
  }

  result(): CounterfactualResult | undefined {
    if (this.evaluations === 0) return undefined;
    const sorted = this.chosen.toSorted((a, b) => a.loss - b.loss);
    return {
      counterfactuals: sorted.map(({ row, values }) => ({
        row,
        values,
        changed: this.space.changed(row),
        distance: this.space.distance(row, this.space.row),
      })),
      already: this.already,
      stopReason:
        this.overBudget || (!this.already && this.chosen.length < this.options.count) ? 'budget' : 'target_error',
      evaluations: this.evaluations,
    };
  }
}

function different(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.map((candidate) => [candidate.row.join(), candidate])).values()];
}

/**
 * Counterfactuals without gradients: rows as near to the explained one as can be found of which the model says what is wanted, by a
 * genetic search (after DiCE, Mothilal et al. 2020) that is then moved back towards the row as far as the answer allows. Features that
 * must not change do not, and each row that is returned was evaluated.
 */
export function counterfactuals(options: CounterfactualOptions): RowEstimator<CounterfactualResult> {
  return rowEstimator(new CounterfactualPlan(options));
}
