import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FlagTable } from './flag';
import { renderHelp } from './help';
import { parseFlags } from './parse-flags';

const table = {
  port: { name: 'grpc-port', type: 'integer', default: 8001, min: 0, max: 65535, value: 'PORT', help: 'Where.' },
  repositories: { name: 'model-repository', type: 'strings', default: [], value: 'DIR', help: 'Models.' },
  shm: { name: 'allow-client-shm', type: 'boolean', default: false, value: 'BOOL', help: 'Shared memory.' },
  mode: {
    name: 'model-control-mode',
    type: 'string',
    default: 'none',
    choices: ['none', 'poll', 'explicit'],
    value: 'MODE',
    help: 'Who loads models.',
  },
  pollSeconds: {
    name: 'repository-poll-secs',
    type: 'number',
    default: 15,
    min: 0.1,
    max: 3600,
    value: 'S',
    help: 'Pause.',
  },
} as const satisfies FlagTable;

const parse = (argv: string[], env: Record<string, string> = {}) => parseFlags(table, { argv, env });

test('defaults stand where nothing is given, and the result is frozen', () => {
  const config = parse([]);
  expect(config).toEqual({ port: 8001, repositories: [], shm: false, mode: 'none', pollSeconds: 15 });
  expect(Object.isFrozen(config)).toBe(true);
});

test('all of Triton’s spellings are read', () => {
  const argv = [
    '--grpc-port=0',
    '--model-repository',
    'a',
    '--model-repository=b',
    '--allow-client-shm',
    '--repository-poll-secs=0.5',
  ];
  expect(parse(argv)).toEqual({ port: 0, repositories: ['a', 'b'], shm: true, mode: 'none', pollSeconds: 0.5 });
  expect(parse(['--allow-client-shm=false']).shm).toBe(false);
  expect(parse(['--allow-client-shm=1']).shm).toBe(true);
  expect(parse(['--allow-client-shm', 'false', '--grpc-port', '1'])).toMatchObject({ shm: false, port: 1 });
  expect(parse(['--allow-client-shm', '--grpc-port', '1'])).toMatchObject({ shm: true, port: 1 });
  expect(parse(['--grpc-port=1', '--grpc-port=2']).port).toBe(2);
});

/** Calls `use` with the path of a config file of that text. */
function withFile(text: string, use: (file: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-config-'));
  try {
    const file = path.join(folder, 'shoal.json');
    writeFileSync(file, text);
    use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('arguments beat the environment, which beats the file', () => {
  const text = JSON.stringify({ 'grpc-port': 1, 'model-control-mode': 'poll', 'model-repository': ['x', 'y'] });
  withFile(text, (file) => {
    const env = { SHOAL_GRPC_PORT: '2', SHOAL_MODEL_CONTROL_MODE: 'explicit' };
    expect(parse(['--config', file, '--grpc-port=3'], env)).toMatchObject({
      port: 3,
      mode: 'explicit',
      repositories: ['x', 'y'],
    });
    expect(parse([], { ...env, SHOAL_CONFIG: file }).port).toBe(2);
    expect(parse([`--config=${file}`]).port).toBe(1);
    expect(parse([`--config=${file}`], { SHOAL_MODEL_REPOSITORY: 'a,b' }).repositories).toEqual(['a', 'b']);
  });
});

test.each([
  ['{ "grpc-prot": 1 }', 'unknown option --grpc-prot in the config file: did you mean --grpc-port?'],
  ['{ "grpc-port": null }', 'grpc-port: expected a string, a number, true or false, or a list of them'],
  ['{ "model-repository": [["a"]] }', 'model-repository: expected a string'],
  ['{ "grpc-port": [] }', '--grpc-port=: expected an integer'],
  ['{ "grpc-port": "x" }', '--grpc-port=x: expected an integer'],
  ['[]', 'expected a JSON object'],
  ['{', 'JSON'],
  ['{ "__proto__": 1 }', 'unknown option --__proto__ in the config file'],
])('the config file %j is refused with a sentence', (text, message) => {
  withFile(text, (file) => expect(() => parse(['--config', file])).toThrow(message));
});

test('a config file that is not there is told', () => {
  expect(() => parse(['--config=/nowhere.json'])).toThrow('--config /nowhere.json: it cannot be read');
});

test.each([
  [['--grpc-prot=1'], 'unknown option --grpc-prot in the command line: did you mean --grpc-port?'],
  [['--zzzzzz'], 'unknown option --zzzzzz in the command line: see --help for all of them'],
  [['--grpc-port=99999'], '--grpc-port=99999: expected an integer from 0 to 65535'],
  [['--grpc-port=1.5'], '--grpc-port=1.5: expected an integer from 0 to 65535'],
  [['--grpc-port='], '--grpc-port=: expected an integer from 0 to 65535'],
  [['--grpc-port'], '--grpc-port needs a value: --grpc-port=PORT'],
  [['--model-control-mode=maybe'], '--model-control-mode=maybe: expected one of none, poll, explicit'],
  [['--allow-client-shm=perhaps'], '--allow-client-shm=perhaps: expected true or false'],
  [['--allow-client-shm', 'perhaps'], "unexpected argument 'perhaps'"],
  [['--allow-client-shm=constructor'], '--allow-client-shm=constructor: expected true or false'],
  [['--allow-client-shm=true', 'false'], "unexpected argument 'false'"],
  [['-p', '1'], 'unknown option --p in the command line'],
  [['--__proto__=1'], 'unknown option --__proto__ in the command line'],
  [['models'], "unexpected argument 'models': every option starts with --"],
])('%j is refused with a sentence', (argv, message) => {
  expect(() => parse(argv)).toThrow(message);
});

test('the help names every flag, its default and its environment variable', () => {
  const help = renderHelp('Usage: x', [{ title: 'Server', flags: table }]);
  for (const flag of Object.values(table)) expect(help).toContain(`--${flag.name}`);
  expect(help).toContain('default 8001');
  expect(help).toContain('SHOAL_MODEL_CONTROL_MODE');
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});
