import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { livenessService } from '../../services/standalone/src/health/process-health';
import { root } from '../support/paths';
import {
  type Container,
  composeContainers,
  dockerfileContainers,
  kubernetesContainers,
  patchedOptions,
} from './containers';

const started = [...dockerfileContainers(), ...composeContainers(), ...kubernetesContainers()];
const helpTexts = new Map<string, string>();

/** What the program itself says that this command takes. */
function helpOf(command: string): string {
  let text = helpTexts.get(command);
  if (text === undefined) {
    text = execFileSync(process.execPath, ['services/standalone/dist/cli.js', command, '--help'], {
      cwd: root,
      encoding: 'utf8',
    });
    helpTexts.set(command, text);
  }
  return text;
}

/** The options that `help` lists, without dashes. */
function optionsIn(help: string): Set<string> {
  return new Set([...help.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map((match) => match[1] as string));
}

/** The value of a number option as `container` sets it, else its default. */
function numberOption({ args }: Container, name: string): number {
  const prefix = `--${name}=`;
  const given = args.find((arg) => arg.startsWith(prefix));
  if (given !== undefined) return Number(given.slice(prefix.length));
  const described = new RegExp(`^ {2}--${name} [^]*?\\[default\\s+(\\d+)`, 'm').exec(helpOf(args[0] ?? ''));
  return Number(described?.[1]);
}

test('each service is started by the Dockerfile, by Compose and on Kubernetes', () => {
  const commands = (containers: readonly Container[]) => [...new Set(containers.map(({ args }) => args[0]))].sort();
  const all = ['batching', 'explainability', 'model-worker', 'router', 'serve'];
  expect(commands(dockerfileContainers())).toEqual(all);
  expect(commands(composeContainers())).toEqual(all);
  expect(commands(kubernetesContainers())).toEqual(all);
});

test.each(started.map((container) => [container.where, container] as const))(
  '%s is started with options that the program has',
  (_, { args: [command = '', ...options], environment }) => {
    const help = helpOf(command);
    const known = optionsIn(help);
    expect(known.size).toBeGreaterThan(5);
    const written = options.map((option) => /^--([a-z0-9-]+)=./.exec(option)?.[1] ?? `not --NAME=VALUE: ${option}`);
    expect(written.filter((name) => !known.has(name))).toEqual([]);
    const variables = environment.filter((name) => name.startsWith('SHOAL_'));
    expect(variables.filter((name) => !help.includes(name))).toEqual([]);
  },
);

test('overlays and components give options that the program has', () => {
  const patched = patchedOptions();
  const given = patched.flatMap(({ where, commands, option }) =>
    commands.map((command) => ({ where, command, option })),
  );
  expect(given.filter(({ option }) => option.startsWith('--link-cert=')).map(({ command }) => command)).toEqual([
    'router',
    'batching',
    'explainability',
    'model-worker',
  ]);
  const unknown = given.filter(({ command, option }) => {
    const name = /^--([a-z0-9-]+)=./.exec(option)?.[1] ?? '';
    return !optionsIn(helpOf(command)).has(name);
  });
  expect(unknown).toEqual([]);
});

test.each(started.filter(({ graceSecs }) => graceSecs !== undefined).map((one) => [one.where, one] as const))(
  '%s may take the time that it needs to end',
  (_, container) => {
    const draining = Math.max(
      numberOption(container, 'exit-timeout-secs'),
      container.args[0] === 'batching' ? numberOption(container, 'batching-drain-timeout-secs') : 0,
    );
    expect(draining).toBeGreaterThan(0);
    // Some seconds for runners, links and the bus.
    expect(container.graceSecs).toBeGreaterThanOrEqual(container.preStopSecs + draining + 5);
  },
);

test.each(started.filter(({ probes }) => probes !== undefined).map((one) => [one.where, one] as const))(
  '%s is asked for its health where it tells it',
  (_, { args, probes }) => {
    const address = args.find((arg) => arg.startsWith('--health-address='));
    const port = Number(/=0\.0\.0\.0:(\d+)$/.exec(address ?? '')?.[1]);
    const lives = { port, service: livenessService };
    expect(probes).toEqual({ startup: lives, readiness: { port }, liveness: lives });
  },
);

test('the variables that all images share are known to every command', () => {
  const dockerfile = readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8');
  const shared = dockerfile.split(/^FROM (?:light|heavy) AS /m)[0] ?? '';
  const variables = [...shared.matchAll(/\b(SHOAL_\w+)=/g)].map((match) => match[1] as string);
  expect(variables).toContain('SHOAL_LOG_FORMAT');
  for (const command of ['serve', 'router', 'batching', 'explainability', 'model-worker']) {
    expect(variables.filter((name) => !helpOf(command).includes(name))).toEqual([]);
  }
});
