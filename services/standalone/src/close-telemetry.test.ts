import { closeTelemetry } from './close-telemetry';

test('metrics do not wait for spans that nobody takes, nor the other way round', async () => {
  let taken: () => void = () => undefined;
  const stuck = new Promise<void>((resolve) => (taken = resolve));
  const begun: (string | number)[] = [];
  const closing = closeTelemetry(
    {
      close(graceMs) {
        begun.push('spans', graceMs);
        return stuck;
      },
    },
    {
      close() {
        begun.push('metrics');
        return stuck;
      },
    },
  );
  expect(begun).toEqual(['spans', 5000, 'metrics']);
  taken();
  await closing;
});

test('a process without spans', async () => {
  let closed = 0;
  await closeTelemetry(undefined, { close: () => Promise.resolve(void (closed += 1)) });
  expect(closed).toBe(1);
});
