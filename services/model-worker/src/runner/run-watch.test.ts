import { FakeClock } from '@shoal/testing';
import { RunWatch } from './run-watch';

function rig(options: { runTimeoutMs?: number; abandonedGraceMs?: number } = {}) {
  const clock = new FakeClock();
  const hung: string[] = [];
  const watch = new RunWatch({
    clock,
    runTimeoutMs: options.runTimeoutMs ?? 0,
    abandonedGraceMs: options.abandonedGraceMs ?? 2000,
    onHung: (reason) => hung.push(reason),
  });
  const run = (ms: number) => {
    watch.started();
    clock.advance(ms);
    watch.ended();
  };
  return { clock, hung, watch, run };
}

/** How long an abandoned run may go on, given those before. */
function graceAfter(runsMs: readonly number[], abandonedGraceMs = 2000): number {
  const { clock, hung, watch, run } = rig({ abandonedGraceMs });
  for (const ms of runsMs) run(ms);
  watch.started();
  watch.abandoned();
  const began = clock.now();
  while (hung.length === 0) clock.advance(100);
  return clock.now() - began;
}

test.each([
  [[10, 30], 2000],
  [[4000, 10], 16_000],
  [[], 10_000],
])('after runs of %j ms an abandoned run may go on for %d ms', (runs, grace) => {
  expect(graceAfter(runs)).toBe(grace);
});

test('it may go on for as long as a new load would take', () => {
  expect(graceAfter([10], 30_000)).toBe(30_000);
});

test('an abandoned run that ends is fine; the limit holds whoever waits', () => {
  const { clock, hung, watch } = rig({ runTimeoutMs: 5000 });
  watch.started();
  watch.abandoned();
  clock.advance(4900);
  watch.ended();
  clock.advance(60_000);
  expect(hung).toEqual([]);
  watch.started();
  watch.abandoned();
  clock.advance(5000);
  expect(hung).toEqual(['a run took more than 5 s']);
  watch.ended();
  expect(clock.pending).toBe(0);
});
