import type { StockClient } from './stock-client';
import { type Tensor, float32, int64 } from './tensors';

/** Inputs of `slow_loop` that keep its runner busy for `rounds` rounds. */
export function slowInputs(rounds: number, seed = 0): Tensor[] {
  const row = Array.from({ length: 64 }, (_, i) => Math.sin(seed + i));
  return [float32('X', [1, 64], row), int64('ITERATIONS', [1, 1], [rounds])];
}

/** How many rounds of `slow_loop` take about `ms` here and now: machines differ, and so does what else runs on them. */
export async function roundsFor(client: StockClient, ms: number, model = 'slow_loop'): Promise<number> {
  await client.infer(request(model, 100));
  // A trial that is over at once says little.
  for (let trial = 4000; ; trial *= 2) {
    const started = performance.now();
    await client.infer(request(model, trial));
    const took = performance.now() - started;
    if (took >= 40) return Math.max(1, Math.round((trial * ms) / took));
  }
}

function request(model: string, rounds: number) {
  const inputs = slowInputs(rounds);
  return {
    model_name: model,
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })),
    raw_input_contents: inputs.map(({ bytes }) => bytes),
  };
}
