import type { Load } from './load';
import type { Shoal } from './shoal';
import { eventually, sleep } from './waiting';

/**
 * Ends a runner with -9 three times, each while a load is being answered, and waits until it is answered again. Resolves
 * with the processes that were ended.
 * @param pauseMs Grows by so much each time, so that they die at different moments of a batch.
 */
export async function killRunners(shoal: Shoal, load: Load, pauseMs: number): Promise<number[]> {
  const killed: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const [runner] = await eventually('a runner serves', () => {
      const alive = shoal.runners().filter((pid) => !killed.includes(pid));
      return alive.length > 0 && alive;
    });
    await answered(load, 20);
    await sleep(pauseMs * round);
    killed.push(runner!);
    process.kill(runner!, 'SIGKILL');
  }
  await answered(load, 50);
  return killed;
}

async function answered(load: Load, more: number): Promise<void> {
  const before = load.answered;
  await eventually('requests are answered', () => load.answered > before + more, 20_000);
}
