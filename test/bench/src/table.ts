import type { Column } from '@shoal/load';

/** How long and how often cells are measured. */
export interface Effort {
  /** Measured per cell and round. */
  readonly seconds: number;
  /** Of each cell before it is measured. */
  readonly warmupSeconds: number;
  readonly rounds: number;
  /** Only cells whose name contains it. */
  readonly only: string;
}

/** What was measured of one cell in one round. */
export interface Measured {
  /** Answers a second: rounds are ranked by it. */
  readonly rate: number;
}

/** One line of a table: what it is called, and how to measure it once. */
export interface Cell<M extends Measured> {
  readonly name: string;
  measure(effort: Effort): Promise<M>;
}

/** A cell's result: the round with the median rate, so that its figures belong together. */
export interface Line<M extends Measured> {
  readonly name: string;
  readonly median: M;
  /** Rates of all rounds, lowest first. */
  readonly rates: readonly number[];
}

/** A table whose servers run; `close` ends them. */
export interface OpenTable<M extends Measured> {
  readonly cells: readonly Cell<M>[];
  readonly columns: readonly Column<Line<M>>[];
  /** What to say below the table. */
  notes(lines: readonly Line<M>[]): readonly string[];
  close(): Promise<void>;
}
