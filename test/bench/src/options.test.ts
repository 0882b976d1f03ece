import { parseOptions } from './options';

test('without arguments: serve', () => {
  expect(parseOptions([])).toMatchObject({
    table: 'serve',
    effort: { seconds: 3, warmupSeconds: 1.5, rounds: 3, only: '' },
    serverFlags: [],
    benchFlags: [],
  });
});

test('peers and how to start them; what follows -- is the server’s', () => {
  const options = parseOptions([
    ...['peers', '--peer', 'triton=127.0.0.1:1', '--start', 'triton=sh a.sh --x=1', '--peer', 'b=http://h:1/p'],
    ...['--seconds=0.5', '--', '--grpc-carrier', 'native'],
  ]);
  expect([...(options?.peers ?? [])]).toEqual([
    ['triton', '127.0.0.1:1'],
    ['b', 'http://h:1/p'],
  ]);
  expect(options?.starts.get('triton')).toBe('sh a.sh --x=1');
  expect(options?.effort.seconds).toBe(0.5);
  expect(options?.serverFlags).toEqual(['--grpc-carrier', 'native']);
});

test('help', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
});

test.each([
  [['all'], 'serve, wire, limit, peers, check'],
  [['wire', 'limit'], 'one table at a time'],
  [['--rounds', '0'], '--rounds=0'],
  [['--rounds', 'many'], '--rounds=many'],
  [['--peer', 'triton'], 'NAME=VALUE'],
  [['--nope'], 'nope'],
])('%j is refused', (argv, why) => {
  expect(() => parseOptions(argv)).toThrow(why);
});
