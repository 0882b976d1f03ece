import type { Cell, Effort, Line, Measured } from './table';

/**
 * Measures all cells round after round, so that a disturbance of the machine hits neighbours and not one column; each
 * cell's median round counts. A cell that cannot be measured is left out, with a message.
 */
export async function runCells<M extends Measured>(
  cells: readonly Cell<M>[],
  effort: Effort,
  say: (line: string) => void,
): Promise<Line<M>[]> {
  const chosen = cells.filter(({ name }) => name.includes(effort.only));
  const found = new Map<Cell<M>, M[]>();
  for (let round = 1; round <= effort.rounds; round++) {
    for (const cell of chosen) {
      say(`round ${round}/${effort.rounds}: ${cell.name}`);
      const measured = await cell.measure(effort).catch((thrown: unknown) => {
        say(`not measured: ${cell.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      });
      if (!measured) continue;
      const rounds = found.get(cell) ?? [];
      rounds.push(measured);
      found.set(cell, rounds);
    }
  }
  return [...found].map(([{ name }, rounds]) => lineOf(name, rounds));
}

/** The median round; of an even number, the lower one of the two in the middle. */
export function lineOf<M extends Measured>(name: string, rounds: readonly M[]): Line<M> {
  const sorted = rounds.toSorted((a, b) => a.rate - b.rate);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] as M;
  return { name, median, rates: sorted.map(({ rate }) => rate) };
}
