import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { processTree, useBetween } from './process-tree';

test('a tree holds a process and its children, with their CPU time', async () => {
  const child = spawn(process.execPath, [
    '-e',
    'for (let i = 0; i < 3e8; i++); console.log("done"); setTimeout(() => 0, 60000)',
  ]);
  const before = processTree(process.pid);
  await once(child.stdout, 'data');
  const after = processTree(process.pid);
  child.kill();
  await once(child, 'exit');
  expect(after[0]?.pid).toBe(process.pid);
  const use = useBetween(before, after).find(({ pid }) => pid === child.pid);
  expect(use).toMatchObject({ name: 'node' });
  expect(use?.cpuMs).toBeGreaterThan(0);
});

test('what is gone has no tree; what is new counts from its birth', () => {
  expect(processTree(2 ** 22)).toEqual([]);
  const after = [{ pid: 5, name: 'x', cpuMs: 30 }];
  expect(useBetween([], after)).toEqual(after);
  expect(useBetween([{ pid: 5, name: 'x', cpuMs: 10 }], after)[0]?.cpuMs).toBe(20);
});
