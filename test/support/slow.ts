import type { StockClient } from './stock-client';
import { type Tensor, float32, int64 } from './tensors';

/** Inputs of `slow_loop` that keep its runner busy for `rounds` rounds. */
export function slowInputs(rounds: number, seed = 0): Tensor[] {
  const row = Array.from({ length: 64 }, (_, i) => Math.sin(seed + i));
  return [float32('X', [1, 64], row), int64('ITERATIONS', [1, 1], [rounds])];
}

/**
 * How many rounds of `slow_loop` take about `ms` here, when nothing else runs: machines differ. What else runs makes
 * them take longer, hardly ever shorter, for the fastest of several trials counts.
 */
export async function roundsFor(client: StockClient, ms: number, model = 'slow_loop'): Promise<number> {
  const took = async (rounds: number) => {
    const started = performance.now();
    await client.infer(request(model, rounds));
    return performance.now() - started;
  };
  await took(100);
  let rounds = 4000;
  // A trial that is over at once says little.
  let fastest = await took(rounds);
  while (fastest < 40) fastest = await took((rounds *= 2));
  for (let trial = 0; trial < 4; trial += 1) fastest = Math.min(fastest, await took(rounds));
  return Math.max(1, Math.round((rounds * ms) / fastest));
}

function request(model: string, rounds: number) {
  const inputs = slowInputs(rounds);
  return {
    model_name: model,
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })),
    raw_input_contents: inputs.map(({ bytes }) => bytes),
  };
}
