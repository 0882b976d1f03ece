import { readFileSync } from 'node:fs';
import { parseFlags } from '@shoal/config';
import { ShoalError, seededRandom } from '@shoal/core';
import {
  type ModelProfile,
  type RunnersNeeded,
  RunTimes,
  Simulation,
  type SimulationOutcome,
  defaultBounds,
  readProfile,
  runnersNeeded,
} from '@shoal/scheduler';
import { progressBar } from '../progress-bar';
import { checkWritable, writeFile } from '../write-file';
import { simulationJson } from './simulation-json';
import { renderSimulation } from './render-simulation';
import { type SimulateConfig, simulateFlags } from './simulate-flags';
import { type SimulatedTraffic, trafficOf } from './simulated-traffic';
import { simulationPicture } from './simulation-picture';

/** What `simulate` needs of the process around it. */
export interface SimulateShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** What was simulated, and what came of it. */
export interface SimulationResult {
  readonly profile: ModelProfile;
  readonly traffic: SimulatedTraffic;
  readonly config: SimulateConfig;
  /** With the runners asked for; without them, with those needed. */
  readonly outcome: SimulationOutcome;
  /** Where there is an objective. */
  readonly needed: RunnersNeeded | undefined;
}

/** Events between two looks at the progress bar. */
const stride = 50_000;

/**
 * `shoal simulate`: what to expect of a model, a load and a number of runners, and how many are needed.
 * @returns the exit code: 1 when the objective cannot be met, or is not met by the runners asked for
 * @throws ShoalError INVALID_ARGUMENT for options and files that are wrong
 */
export function simulate(argv: readonly string[], shell: SimulateShell): number {
  const config = parseFlags(simulateFlags, { argv, env: shell.env });
  const profile = profileOf(config);
  const traffic = trafficOf(config);
  if (config.runners === 0 && config.sloP99Ms === 0) {
    throw wrong('how many runners? Say --runners 4, or --slo-p99-ms 50 to learn how many are needed');
  }
  if (config.requestRows > profile.maxBatchSize) {
    throw wrong(`--request-rows=${config.requestRows}: the model takes ${profile.maxBatchSize} at most`);
  }
  checkWritable('--svg', config.svg);
  const shows = config.progress && shell.stderr.isTTY === true;
  const bar = progressBar((text) => shows && shell.stderr.write(text));
  const result = run(config, profile, traffic, (share, what) => bar.show(share, what));
  bar.clear();
  shell.stdout.write(
    config.json ? `${JSON.stringify(simulationJson(result), undefined, 2)}\n` : renderSimulation(result),
  );
  if (config.svg !== '') writeFile('--svg', config.svg, simulationPicture(result));
  return result.needed !== undefined && !isEnough(result) ? 1 : 0;
}

function run(
  config: SimulateConfig,
  profile: ModelProfile,
  traffic: SimulatedTraffic,
  onProgress: (share: number, what: string) => void,
): SimulationResult {
  const outcomeOf = (runners: number): SimulationOutcome => {
    const simulation = begin(config, profile, traffic, runners);
    const what = `${runners} ${runners === 1 ? 'runner' : 'runners'}`;
    for (onProgress(0, what); !simulation.run(stride);) onProgress(simulation.progress, what);
    return simulation.outcome();
  };
  const asked = config.runners > 0 ? outcomeOf(config.runners) : undefined;
  if (config.sloP99Ms === 0)
    return { profile, traffic, config, outcome: asked as SimulationOutcome, needed: undefined };
  const objective = { p99Ms: config.sloP99Ms, shed: config.sloShed };
  const search = runnersNeeded(leastRunners(config, profile, traffic), config.maxRunners, objective);
  let step = search.next();
  while (!step.done) step = search.next(step.value === asked?.runners ? asked : outcomeOf(step.value));
  const needed = step.value;
  const found = needed.tried.find(({ runners }) => runners === needed.runners) ?? needed.tried.at(-1);
  return { profile, traffic, config, outcome: asked ?? (found as SimulationOutcome), needed };
}

/** With fewer, even full batches without a pause would not do. */
function leastRunners({ requestRows }: SimulateConfig, profile: ModelProfile, { rate }: SimulatedTraffic): number {
  const rows = profile.dynamicBatching ? profile.maxBatchSize : requestRows;
  const rowsPerSecond = (rows * 1000) / new RunTimes(profile, seededRandom(0)).mean(rows);
  return Math.max(1, Math.ceil((rate * requestRows) / rowsPerSecond));
}

function begin(config: SimulateConfig, profile: ModelProfile, traffic: SimulatedTraffic, runners: number): Simulation {
  const { durationSecs, warmupSecs, seed, credits, requestRows, deadlineMs, sloP99Ms } = config;
  const { maxQueueRequests: requests, batchEfficiency, planDeadlines, deferredBatching: deferred } = config;
  return new Simulation({
    ...{ profile, runners, credits, deadlineMs, rows: requestRows },
    // Two streams of chance: the traffic is the same whatever the number of runners.
    arrivals: traffic.begin(seededRandom(seed)),
    random: seededRandom(seed ^ 0x5bd1e995),
    durationMs: durationSecs * 1000,
    warmupMs: (warmupSecs < 0 ? durationSecs / 20 : Math.min(warmupSecs, durationSecs)) * 1000,
    objectiveMs: sloP99Ms > 0 ? sloP99Ms : Infinity,
    queue: { bounds: { ...defaultBounds, requests }, batchEfficiency, planDeadlines, deferred },
  });
}

/** Whether the runners that were simulated are as many as the objective needs. */
export function isEnough({ outcome, needed }: SimulationResult): boolean {
  return needed?.runners !== undefined && outcome.runners >= needed.runners;
}

function profileOf({ profile: file, fixedMs, rowMs, maxBatchSize }: SimulateConfig): ModelProfile {
  if (file === '') {
    if (!(fixedMs + rowMs > 0)) {
      throw wrong(
        'which model? Name its profile with --profile FILE (`shoal profile MODEL --out FILE` makes one), or say --fixed-ms 5 --row-ms 0.2',
      );
    }
    return readProfile({ fixedMs, rowMs, maxBatchSize: maxBatchSize || defaultMaxBatchSize });
  }
  const profile = readProfile(readJson(file));
  if (maxBatchSize === 0) return profile;
  const preferredBatchSizes = profile.preferredBatchSizes.filter((size) => size <= maxBatchSize);
  return { ...profile, maxBatchSize, preferredBatchSizes };
}

const defaultMaxBatchSize = 32;

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    const why = thrown instanceof SyntaxError ? thrown.message : 'it cannot be read';
    throw wrong(`--profile ${file}: ${why}`);
  }
}

function wrong(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
