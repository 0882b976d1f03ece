import type { Door } from './cluster';
import { Ledger } from './ledger';
import { eventually } from './waiting';

/** What a ledger must say of wrong, doubled and lost answers, whatever has happened. */
export const nothing = { wrong: [], doubled: [], hung: [] };

/** Under load, does `harm`, lets things go on, and gives back what came of each request. */
export async function underLoad(
  model: string,
  doors: readonly Door[],
  harm: (ledger: Ledger) => Promise<unknown>,
): Promise<Ledger> {
  const ledger = new Ledger(model, doors, 8);
  await eventually('the load runs', () => ledger.answered > 100, 20_000);
  try {
    await harm(ledger);
    const before = ledger.answered;
    await eventually('the load goes on', () => ledger.answered > before + 200, 20_000);
  } finally {
    await ledger.stop();
  }
  return ledger;
}
