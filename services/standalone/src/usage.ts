import { batchingFlags } from '@shoal/batching';
import { type HelpSection, renderHelp } from '@shoal/config';
import { explainFlags } from '@shoal/explainability';
import { dataFlags, loadFlags, outputFlags, targetFlags } from '@shoal/load';
import { modelWorkerFlags } from '@shoal/model-worker';
import { routerFlags } from '@shoal/router';
import {
  clusterFlags,
  linkAddressFlag,
  linkFlags,
  routerAccessFlags,
  routerProcessFlags,
  workerProcessFlags,
} from './cluster/flags';
import { controlFlags } from './client/control-client';
import { serveExplainFlags } from './explain-flags';
import { answerFlags, questionFlags, rowFlags } from './explain/explain-flags';
import { processFlags } from './flags';
import { healthFlags } from './health/command';
import { keyFlags } from './key';
import { clusterMetricsFlags, metricsFlags } from './metrics/flags';
import { tracingFlags } from './tracing/flags';
import { changeFlags, replicasFlags } from './models/models-flags';
import { topFlags, whyFlags } from './batching/batching-flags';
import { measuringFlags, profileDataFlags, profiledFlags } from './profile/profile-flags';
import {
  capacityFlags,
  simulatedBatchingFlags,
  simulatedModelFlags,
  simulationFlags,
  trafficShapeFlags,
} from './simulate/simulate-flags';
import { trafficFlags } from './traffic/traffic-flags';

const processSection: HelpSection = { title: 'Process', flags: processFlags };

/** As a process of its own. */
const doorFlags = { ...routerFlags, strictReadiness: routerProcessFlags.strictReadiness };

const clusterSection: HelpSection = { title: 'Cluster', flags: clusterFlags };

const metricsSection: HelpSection = { title: 'Metrics', flags: clusterMetricsFlags };

const tracingSection: HelpSection = { title: 'Tracing', flags: tracingFlags };

const serverSection: HelpSection = { title: 'Server', flags: controlFlags };
const changeSection: HelpSection = { title: 'Server', flags: changeFlags };

const trafficNote = `Examples:
  shoal traffic                                       all models that have rules
  shoal traffic digits                                the rules of one, and what came of them
  shoal traffic digits --canary 2 --percent 10 --sticky x-user
  shoal traffic digits --shadow 2 --relative-tolerance 1e-3
  shoal promote digits
  shoal rollback digits`;

const explainNote = `Examples:
  shoal explain breast_cancer --csv patients.csv --row 7
  shoal explain breast_cancer --csv patients.csv --background background.csv --link logit --report patient-7.html
  shoal explain digits --image three.png --groups 4x4 --svg three.svg
  shoal explain digits --image three.png --groups 2x4 --method exact --index 3`;

const configNote = `Options also come from the environment (names in brackets) and from the JSON file that --config FILE names,
as { "OPTION": VALUE, "REPEATABLE-OPTION": [VALUE, VALUE] }. Arguments win over the environment, that over the file.`;

const tritonNote = `Other options of Triton's are taken with a warning where they make no difference here, and refused with a reason
where they would.`;

const benchNote = `Examples:
  shoal bench -m simple                                          one request at a time
  shoal bench -m simple --concurrency-range 1:64:21 --streaming  closed loop, more and more in flight
  shoal bench -m digits --request-rate-range 1000 --request-distribution poisson
  shoal bench -m embed --shape ids:128 --shared-memory system -b 4 --format csv`;

const simulateNote = `Examples:
  shoal profile resnet --out resnet.json                         measures a running model
  shoal simulate --profile resnet.json --rate 800 --runners 4    what to expect
  shoal simulate --profile resnet.json --rate 800 --slo-p99-ms 50              how many runners that takes
  shoal simulate --profile resnet.json --trace monday.csv --runners 6 --svg monday.svg
  shoal simulate --fixed-ms 8 --row-ms 0.3 --rate 20000 --arrivals bursts --slo-p99-ms 100

Nothing is served or run: the batching that would be is fed with made-up requests on a clock of its own. What other work on the
runners' machines takes, and the network, is not in it. docs/simulate.md tells how well predictions hold.`;

const profileNote = `One request is in flight at a time; so nothing else should use the model meanwhile.

Examples:
  shoal profile digits --out digits.json
  shoal profile embed --shape ids:128 --sizes 1,8,32 --rounds 5 --url HOST:PORT --out embed.json`;

const keyNote = `Nothing is stored: the key is printed once, and the auth file holds only its digest. To replace a key, add a second one to
the tenant, give it to the caller, and take the first one out when it is no longer used.

Example:
  shoal key --id 2026-11 --expires 2027-12-31`;

/** One sub-command: what it is for and what it takes. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What comes before the options. */
  readonly argument?: string;
  readonly sections: readonly HelpSection[];
}

export const commands: readonly Command[] = [
  {
    name: 'serve',
    summary: 'serves a model repository: all services in one process, models in processes of their own',
    sections: [
      { title: 'Models', flags: modelWorkerFlags },
      { title: 'Door (router)', flags: routerFlags },
      { title: 'Batching', flags: batchingFlags },
      { title: 'Explanations', flags: serveExplainFlags },
      { title: 'Metrics', flags: metricsFlags },
      tracingSection,
      processSection,
    ],
  },
  {
    name: 'bench',
    summary: 'loads a running server and measures throughput and latency, as perf_analyzer does',
    sections: [
      { title: 'Target', flags: targetFlags },
      { title: 'Load', flags: loadFlags },
      { title: 'Requests', flags: dataFlags },
      { title: 'Output', flags: outputFlags },
    ],
  },
  {
    name: 'profile',
    summary: 'measures how long a model of a running server takes for batches of each size, for simulate',
    argument: 'MODEL',
    sections: [
      { title: 'Target', flags: profiledFlags },
      { title: 'Measurement', flags: measuringFlags },
      { title: 'Requests', flags: profileDataFlags },
    ],
  },
  {
    name: 'simulate',
    summary: 'predicts latency, goodput and the runners that a load needs, from a profile of the model',
    sections: [
      { title: 'Model', flags: simulatedModelFlags },
      { title: 'Traffic', flags: trafficShapeFlags },
      { title: 'Capacity', flags: capacityFlags },
      { title: 'Batching', flags: simulatedBatchingFlags },
      { title: 'Simulation', flags: simulationFlags },
    ],
  },
  {
    name: 'explain',
    summary: 'tells what of an input made a model answer as it does, in the terminal, as a page or as a picture',
    argument: 'MODEL',
    sections: [
      { title: 'Row', flags: rowFlags },
      { title: 'Question', flags: questionFlags },
      { title: 'Answer', flags: answerFlags },
      serverSection,
    ],
  },
  {
    name: 'health',
    summary: 'asks a running process whether it serves: exit code 0 if it does, else 1',
    sections: [{ title: 'Question', flags: healthFlags }],
  },
  {
    name: 'key',
    summary: 'makes a key for a client, and the entry for it in the --auth-file',
    sections: [{ title: 'Key', flags: keyFlags }],
  },
  {
    name: 'router',
    summary: 'the door alone: the public gRPC API',
    sections: [
      { title: 'Door (router)', flags: doorFlags },
      clusterSection,
      metricsSection,
      tracingSection,
      processSection,
    ],
  },
  {
    name: 'batching',
    summary: 'the brain alone: forms batches over all routers and runners',
    sections: [
      { title: 'Batching', flags: batchingFlags },
      { title: 'Links', flags: { ...linkAddressFlag, ...linkFlags } },
      clusterSection,
      metricsSection,
      tracingSection,
      processSection,
    ],
  },
  {
    name: 'model-worker',
    summary: 'the hands alone: loads models and runs them',
    sections: [
      { title: 'Models', flags: { ...modelWorkerFlags, runnerHost: workerProcessFlags.runnerHost } },
      { title: 'Links', flags: linkFlags },
      clusterSection,
      metricsSection,
      tracingSection,
      processSection,
    ],
  },
  {
    name: 'explainability',
    summary: 'explanations alone: which parts of an input make a model answer as it does',
    sections: [
      { title: 'Explanations', flags: explainFlags },
      { title: 'Predictions', flags: routerAccessFlags },
      { title: 'Links', flags: { ...linkAddressFlag, ...linkFlags } },
      clusterSection,
      metricsSection,
      tracingSection,
      processSection,
    ],
  },
  {
    name: 'top',
    summary: 'shows queues, rates, batch sizes and what was learnt of models, again and again',
    argument: '[MODEL]',
    sections: [{ title: 'Show', flags: topFlags }, serverSection],
  },
  {
    name: 'why',
    summary: 'tells of a recent request which batch it ran in, with whom, why it waited and what that took',
    argument: 'REQUEST-ID',
    sections: [{ title: 'Request', flags: whyFlags }, serverSection],
  },
  {
    name: 'models',
    summary: 'lists the models of a cluster: what is wanted, which workers serve them, and why not',
    argument: '[MODEL]',
    sections: [serverSection],
  },
  {
    name: 'workers',
    summary: 'lists the model-workers of a cluster: memory, devices, what they serve',
    sections: [serverSection],
  },
  {
    name: 'load',
    summary: 'loads a model on as many workers as it says, or what has changed of it',
    argument: 'MODEL',
    sections: [{ title: 'Placement', flags: replicasFlags }, changeSection],
  },
  { name: 'unload', summary: 'unloads a model on all workers', argument: 'MODEL', sections: [changeSection] },
  {
    name: 'reload',
    summary: 'loads what has changed of a model, one worker after the other',
    argument: 'MODEL',
    sections: [changeSection],
  },
  {
    name: 'traffic',
    summary: 'shows or changes which versions of a model answer: canary, shadow',
    argument: '[MODEL]',
    sections: [{ title: 'Rules', flags: trafficFlags }, serverSection],
  },
  {
    name: 'promote',
    summary: 'makes the canary of a model its stable version',
    argument: 'MODEL',
    sections: [serverSection],
  },
  {
    name: 'rollback',
    summary: 'goes back to the traffic rules of a model before the last change',
    argument: 'MODEL',
    sections: [serverSection],
  },
];

/** The text of `shoal --help`. */
export function overview(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`);
  return `Shoal serves ONNX models over gRPC to the clients of Triton and KServe, and batches their requests.

Usage: shoal COMMAND [options]

Commands:
${lines.join('\n')}

  shoal COMMAND --help   all options of a command
  shoal --version        the version

Example: shoal serve --model-repository ./models
`;
}

/** The text of `shoal COMMAND --help`. */
export function commandHelp({ name, summary, argument, sections }: Command): string {
  const further: Readonly<Record<string, string>> = {
    serve: `\n\n${tritonNote}`,
    bench: `\n\n${benchNote}`,
    explain: `\n\n${explainNote}`,
    profile: `\n\n${profileNote}`,
    simulate: `\n\n${simulateNote}`,
    key: `\n\n${keyNote}`,
    traffic: `\n\n${trafficNote}`,
  };
  const notes = configNote + (further[name] ?? '');
  return renderHelp(
    `shoal ${name}: ${summary}.\n\nUsage: shoal ${name}${argument === undefined ? '' : ` ${argument}`} [options]\n\n${notes}`,
    sections,
  );
}
