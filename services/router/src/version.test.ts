import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { version } from './version';

function rootPackage(from: string): string {
  const path = join(from, 'package-lock.json');
  return existsSync(path) ? join(from, 'package.json') : rootPackage(dirname(from));
}

test('the version that clients see is the one that is released', () => {
  expect(JSON.parse(readFileSync(rootPackage(__dirname), 'utf8'))).toMatchObject({ version });
});
