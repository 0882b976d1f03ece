import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive } from '../support/processes';
import { startShoal } from '../support/shoal';
import { roundsFor, slowInputs } from '../support/slow';
import { inferRequest, isSimpleAnswer, simpleRequest } from '../support/tensors';
import { eventually, sleep } from '../support/waiting';

test('a server killed with -9 leaves no runner behind, not even a busy one', async () => {
  const shoal = await startShoal({ models: { simple: {}, slow_loop: {} } });
  const rounds = await roundsFor(shoal.client, 60_000);
  const runners = shoal.runners();
  expect(runners).toHaveLength(2);
  const failure = shoal.client.failure('ModelInfer', inferRequest('slow_loop', slowInputs(rounds)));
  await sleep(200);
  shoal.signal('SIGKILL');
  expect(await shoal.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect((await failure).code).toBe('UNAVAILABLE');
  await eventually('the runners end', () => !runners.some(isAlive), 15_000);
  shoal.client.close();
  shoal.raw.close();
  shoal.repository.delete();
}, 60_000);

test('its sockets lie in a folder that nobody else may enter; it leaves nothing in the temporary folder', async () => {
  const temporary = mkdtempSync(path.join(tmpdir(), 't-'));
  const cache = mkdtempSync(path.join(tmpdir(), 't-'));
  const shoal = await startShoal({ models: { simple: {} }, env: { TMPDIR: temporary, HOME: cache } });
  expect(isSimpleAnswer(await shoal.client.infer(simpleRequest(2)), 2)).toBe(true);
  const folders = readdirSync(temporary);
  // Of the runners, and of the door that explanations use.
  expect(folders).toHaveLength(2);
  for (const folder of folders) expect(statSync(path.join(temporary, folder)).mode & 0o777).toBe(0o700);
  await shoal.stop();
  // Nor does ONNX Runtime, whose telemetry would show here and in the home folder.
  expect([...readdirSync(temporary), ...readdirSync(cache)]).toEqual([]);
  for (const folder of [temporary, cache]) rmSync(folder, { recursive: true });
}, 60_000);
