import { simulationChart } from '@shoal/report';
import type { SimulationResult } from './simulate-command';

/** A simulation as a picture: latency over time, and batch sizes. */
export function simulationPicture({ profile, traffic, outcome, config }: SimulationResult): string {
  const runners = `${outcome.runners} ${outcome.runners === 1 ? 'runner' : 'runners'}`;
  const spanMs = (outcome.slices[1]?.fromMs ?? 0) - (outcome.slices[0]?.fromMs ?? 0);
  return simulationChart({
    title: `${profile.model}: ${runners}`,
    note: traffic.name,
    slices: outcome.slices.map(({ fromMs, offered, p50Ms, p99Ms }) => ({
      ...{ seconds: fromMs / 1000, rate: (offered * 1000) / spanMs, p50Ms, p99Ms },
    })),
    objectiveMs: config.sloP99Ms > 0 ? config.sloP99Ms : undefined,
    batches: outcome.batchSizes.flatMap((count, rows) => (rows > 0 ? [{ rows, count }] : [])),
  });
}
