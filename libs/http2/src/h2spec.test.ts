import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startExampleServer } from './testing/example-server';

const h2spec = process.env['H2SPEC'];

/*
 * The independent conformance suite. go install github.com/summerwind/h2spec/cmd/h2spec@latest, then
 * H2SPEC=$HOME/go/bin/h2spec npx jest libs/http2
 */
if (h2spec === undefined) console.warn('H2SPEC does not name the h2spec binary: its 146 cases are not tried');

(h2spec === undefined ? test.skip : test)(
  'h2spec, strict: all of its cases',
  async () => {
    const server = await startExampleServer();
    const args = ['-S', '-h', '127.0.0.1', '-p', String(server.port), '-o', '2'];
    const { stdout } = await promisify(execFile)(h2spec!, args, { maxBuffer: 1 << 26 }).catch(
      (failed: { stdout: string }) => failed,
    );
    await server.close();
    // oxlint-disable-next-line jest/no-standalone-expect -- it is inside a test, or inside a skipped one
    expect(stdout).toMatch(/146 tests, 146 passed, 0 skipped, 0 failed/);
  },
  300_000,
);
