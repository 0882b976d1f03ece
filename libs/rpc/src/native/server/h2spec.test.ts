import { systemClock } from '@shoal/core';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { echoService } from '../../testing/echo-service';
import { NativeServer } from './native-server';

const h2spec = process.env['H2SPEC'];

// The independent conformance suite: see its test in libs/http2 for how to get it.
if (h2spec === undefined) console.warn('H2SPEC does not name the h2spec binary: its 146 cases are not tried');

(h2spec === undefined ? test.skip : test)(
  'h2spec, strict: all of its cases, against a gRPC server',
  async () => {
    const server = new NativeServer({ clock: systemClock });
    server.addService(echoService, { Unary: (text: string) => text });
    const port = await server.listen('127.0.0.1:0');
    const args = ['-S', '-h', '127.0.0.1', '-p', String(port), '-o', '2'];
    const { stdout } = await promisify(execFile)(h2spec!, args, { maxBuffer: 1 << 26 }).catch(
      (failed: { stdout: string }) => failed,
    );
    await server.drain(0);
    // oxlint-disable-next-line jest/no-standalone-expect -- it is inside a test, or inside a skipped one
    expect(stdout).toMatch(/146 tests, 146 passed, 0 skipped, 0 failed/);
  },
  300_000,
);
