#!/usr/bin/env node
import { nearest, parseFlags } from '@shoal/config';
import { ShoalError, systemClock } from '@shoal/core';
import { checkAccess, openGrpcTls } from '@shoal/router';
import { top } from './batching/top-command';
import { why } from './batching/why-command';
import { type BenchShell, bench } from './bench';
import { batchingProcessFlags, explainProcessFlags, routerProcessFlags, workerProcessFlags } from './cluster/flags';
import {
  checkedLinks,
  checkedWorker,
  startBatchingProcess,
  startExplainProcess,
  startRouterProcess,
  startWorkerProcess,
} from './cluster/processes';
import { runProcess } from './cluster/run-process';
import { type ExplainShell, explain } from './explain/explain-command';
import { serveFlags } from './flags';
import { health } from './health/command';
import { key } from './key';
import { logDestination } from './log-destination';
import { type ModelsShell, changeModel, listCommand } from './models/models-command';
import { project } from './project';
import { type ServeShell, serve } from './serve';
import { tritonFlags } from './triton-flags';
import { profile } from './profile/profile-command';
import { type SimulateShell, simulate } from './simulate/simulate-command';
import { type TrafficShell, changeCommand, trafficCommand } from './traffic/traffic-command';
import { type Command, commandHelp, commands, overview } from './usage';

/** Exit code for wrong usage, as most Unix tools. */
const usageError = 2;

async function main(argv: readonly string[]): Promise<number> {
  const [first = '--help', ...rest] = argv;
  if (first === '--version' || first === '-V') return print(project.version);
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) return print(overview());
  const name = first === 'help' ? (rest[0] ?? '') : first;
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    complain(`unknown command '${name}': ${hintFor(name)}`);
    return usageError;
  }
  if (first === 'help' || rest.includes('--help') || rest.includes('-h')) return print(commandHelp(command));
  return run(command, rest);
}

function hintFor(name: string): string {
  if (name.startsWith('-')) return 'options follow a command, as in `shoal serve --model-repository DIR`';
  const names = commands.map((one) => one.name);
  const near = nearest(name, names);
  return near === undefined ? `shoal knows ${names.join(', ')}` : `did you mean ${near}?`;
}

async function run(command: Command, argv: readonly string[]): Promise<number> {
  try {
    if (command.name === 'bench') return await bench(argv, benchShell);
    if (command.name === 'explain') return await explain(argv, explainShell);
    if (command.name === 'health') return await health(argv, process.env, complain);
    if (command.name === 'key') return key(argv, { env: process.env, print: (text) => void print(text) });
    if (command.name === 'models' || command.name === 'workers') {
      return await listCommand(command.name, argv, modelsShell);
    }
    if (command.name === 'load' || command.name === 'unload' || command.name === 'reload') {
      return await changeModel(command.name, argv, modelsShell);
    }
    if (command.name === 'traffic') return await trafficCommand(argv, trafficShell);
    if (command.name === 'promote' || command.name === 'rollback') {
      return await changeCommand(command.name, argv, trafficShell);
    }
    if (command.name === 'why') return await why(argv, modelsShell);
    if (command.name === 'top') return await top(argv, { ...benchShell, clock: systemClock });
    if (command.name === 'profile') return await profile(argv, benchShell);
    if (command.name === 'simulate') return simulate(argv, simulateShell);
    if (command.name === 'serve') {
      const config = parseFlags({ ...tritonFlags, ...serveFlags }, { argv, env: process.env });
      return await serve(config, serveShell(config.logFormat));
    }
    return await runOne(command.name as ServiceName, argv);
  } catch (thrown) {
    if (!(thrown instanceof ShoalError)) throw thrown;
    complain(thrown.message);
    return thrown.code === 'INVALID_ARGUMENT' ? usageError : 1;
  }
}

type ServiceName = 'router' | 'batching' | 'model-worker' | 'explainability';

/** One service of a cluster. */
function runOne(name: ServiceName, argv: readonly string[]): Promise<number> {
  const sources = { argv, env: process.env };
  if (name === 'router') {
    const config = parseFlags(routerProcessFlags, sources);
    checkAccess(config);
    return runProcess(name, config, startRouterProcess, serveShell(config.logFormat), openGrpcTls);
  }
  if (name === 'batching') {
    const config = checkedLinks(parseFlags(batchingProcessFlags, sources));
    return runProcess(name, config, startBatchingProcess, serveShell(config.logFormat));
  }
  if (name === 'explainability') {
    const config = checkedLinks(parseFlags(explainProcessFlags, sources));
    return runProcess(name, config, startExplainProcess, serveShell(config.logFormat));
  }
  const config = checkedWorker(parseFlags(workerProcessFlags, sources));
  return runProcess(name, config, startWorkerProcess, serveShell(config.logFormat));
}

function serveShell(logFormat: string): ServeShell {
  return {
    clock: systemClock,
    logDestination: logDestination(logFormat, process.stderr),
    print: (line) => void print(line),
    onSignal(received) {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => received(signal));
    },
    exit: (code) => process.exit(code),
  };
}

const modelsShell: ModelsShell = { env: process.env, clock: systemClock, print: (text) => void print(text) };

const trafficShell: TrafficShell = { env: process.env, print: (text) => void print(text) };

const explainShell: ExplainShell = {
  env: process.env,
  print: (text) => void print(text),
  stdout: process.stdout,
  stderr: process.stderr,
};

const simulateShell: SimulateShell = { env: process.env, stdout: process.stdout, stderr: process.stderr };

const benchShell: BenchShell = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  onInterrupt(interrupted) {
    // The first one ends the run in order; a second one falls to Node, which ends the process.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, interrupted);
  },
};

/** Prints, and gives the exit code of a command that only does that. */
function print(text: string): number {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}

function complain(text: string): void {
  process.stderr.write(`shoal: ${text}\n`);
}

// Whoever read our output may go first (`shoal serve | head`); that is no reason to stop serving.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

void main(process.argv.slice(2)).then((code) => process.exit(code));
