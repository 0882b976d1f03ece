import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import {
  type Question,
  filledIn,
  grafanaQuestions,
  metricsIn,
  panelQuestions,
  ruleQuestions,
  scalingQuestions,
} from '../../infra/promql';
import { type ServiceName, serviceOf, startCluster } from '../../support/cluster';
import { Collector } from '../../support/collector';
import { EventfulLoad, type EventfulLoadOptions, eventfulModels } from '../../support/eventful-load';
import { root } from '../../support/paths';
import { Prometheus } from '../../support/prometheus';
import { startShoal } from '../../support/shoal';

/** What dashboards, rules, and KEDA ask is put to a real Prometheus that scrapes real processes at work, by our own rules. */
const loadMs = 40_000;
const metricsArgs = ['--allow-metrics=true', '--metrics-port=0', '--metrics-interval-ms=500'];
const questions = [...panelQuestions(), ...ruleQuestions(), ...grafanaQuestions(), ...scalingQuestions()];
const say = (text: string) => void process.stdout.write(`${text}\n`);

jest.setTimeout(300_000);

/** Something that serves. */
interface Place extends EventfulLoadOptions {
  /** What each process says, and what `service` it is. */
  readonly processes: readonly { readonly service: string; readonly output: string }[];
  close(): Promise<unknown>;
}

/** What may have nothing to say, and why. */
function mayBeSilent(collector: Collector | undefined): readonly (readonly [question: RegExp, why: string])[] {
  return [
    [/DCGM_/, 'no GPU is there'],
    [/send_failed_spans/, 'the collector counts failures from the first one on'],
    ...(collector ? [] : ([[/otelcol_|shoal_spans_|shoal_exports_failed/, 'no collector is there']] as const)),
  ];
}

test('a cluster answers every question of dashboards, rules and KEDA', async () => {
  await rehearse(async (env) => {
    const args = Object.fromEntries(services.map((service) => [service, metricsArgs]));
    const counts = { router: 2, batching: 1, 'model-worker': 2, explainability: 1 };
    const cluster = await startCluster(eventfulModels, counts, { args, env });
    if (!cluster) throw new Error('this needs nats-server');
    return {
      addresses: cluster.doors.map(({ address }) => address),
      client: cluster.doors[0]!.client,
      runners: () => cluster.living('model-worker')[0]?.runners() ?? [],
      processes: cluster.members.map((member) => ({ service: serviceOf(member), output: member.output })),
      close: () => cluster.close(),
    };
  });
});

test('so does one process', async () => {
  await rehearse(async (env) => {
    const shoal = await startShoal({ models: eventfulModels, args: metricsArgs, env });
    return {
      addresses: [shoal.address],
      client: shoal.client,
      runners: () => shoal.runners().slice(0, 2),
      processes: [{ service: 'standalone', output: shoal.output }],
      close: () => shoal.stop(),
    };
  });
});

const services: readonly ServiceName[] = ['router', 'batching', 'model-worker', 'explainability'];

async function rehearse(open: (env: Record<string, string>) => Promise<Place>): Promise<void> {
  const collector = await Collector.start();
  const place = await open(tracing(collector));
  let prometheus: Prometheus | undefined;
  try {
    prometheus = await Prometheus.start(configFor(place, collector));
    if (!prometheus) throw new Error('this needs prometheus: apt-get install prometheus, or name it in PROMETHEUS');
    const load = await EventfulLoad.start(place, loadMs);
    const targets = [...(await prometheus.targets()).values()];
    expect(targets.filter(({ up }) => !up)).toEqual([]);
    expect(targets).toHaveLength(place.processes.length + (collector ? 1 : 0));
    await expectAnswers(prometheus, collector);
    if (collector) await expectTraces(collector, prometheus);
    await load.end();
  } finally {
    await prometheus?.close();
    await place.close();
    await collector?.close();
  }
}

async function expectAnswers(prometheus: Prometheus, collector: Collector | undefined): Promise<void> {
  const silent = mayBeSilent(collector);
  const open: string[] = [];
  const excused: string[] = [];
  const zero: string[] = [];
  for (const { where, expr, alert } of questions) {
    const problem = await problemOf(prometheus, { where, expr, ...(alert !== undefined && { alert }) });
    if (problem === undefined) continue;
    const excuse = silent.find(([pattern]) => pattern.test(expr))?.[1];
    if (problem === onlyZeros) zero.push(`${where}: ${expr}`);
    else if (excuse !== undefined) excused.push(`${where}: ${excuse}`);
    else open.push(`${where}: ${problem}: ${expr}`);
  }
  say(`${questions.length} questions, ${open.length} without an answer`);
  say(['silent, as they may be:', ...excused].join('\n  '));
  say(['nothing but zeros:', ...zero].join('\n  '));
  expect(open).toEqual([]);
}

const onlyZeros = 'only zeros';

/** What is amiss with the answer to a question. Alerts have none while all is well: each metric that they name must be there. */
async function problemOf(prometheus: Prometheus, { expr, alert }: Question): Promise<string | undefined> {
  try {
    const answer = await prometheus.query(filledIn(expr, '60s'));
    if (alert === undefined) {
      if (answer.length === 0) return 'no series';
      if (answer.every(({ value }) => value[1] === 'NaN')) return 'only NaN';
      return answer.every(({ value }) => Number(value[1]) === 0) ? onlyZeros : undefined;
    }
    for (const name of metricsIn(expr)) {
      if ((await prometheus.query(name)).length === 0) return `nothing is called ${name}`;
    }
    return undefined;
  } catch (thrown) {
    return String(thrown);
  }
}

interface PrometheusConfig {
  readonly global: object;
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly { readonly job_name: string }[];
}

/** Our prometheus.yml, at a quicker pace, with the addresses of these processes in the place of Compose's names. */
function configFor({ processes }: Place, collector: Collector | undefined): object {
  const folder = path.join(root, 'infra/prometheus');
  const ours = parse(readFileSync(path.join(folder, 'prometheus.yml'), 'utf8')) as PrometheusConfig;
  const found = new Map<string, readonly object[]>([
    [
      'shoal',
      processes.map(({ service, output }) => {
        const [, address = ''] = /Serves metrics at http:\/\/(\S+)\/metrics/.exec(output) ?? [];
        return { targets: [address], labels: { service } };
      }),
    ],
    ...(collector ? [['collector', [{ targets: [collector.metrics] }]] as const] : []),
  ]);
  return {
    ...ours,
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ours.rule_files.map((file) => path.join(folder, file)),
    scrape_configs: ours.scrape_configs
      .filter(({ job_name: name }) => found.has(name))
      .map(({ job_name }) => ({ job_name, static_configs: found.get(job_name) })),
  };
}

/** What has the services send one of twenty requests to a collector. */
function tracing(collector: Collector | undefined): Record<string, string> {
  if (collector === undefined) return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.05',
    OTEL_METRICS_EXPORTER: 'none',
  };
}

/** The collector gave traces to Jaeger, and figures of them to Prometheus; points of histograms lead to those traces. */
async function expectTraces({ jaeger, prometheus: pushed }: Collector, prometheus: Prometheus): Promise<void> {
  const traces = new Set(jaeger.spans.map(({ traceId }) => traceId));
  const from = [...new Set(jaeger.spans.map(({ service }) => service))].toSorted();
  const made = [...new Set(pushed.points.map(({ metric }) => metric))].toSorted();
  const exemplars = await prometheus.exemplars('shoal_request_duration_seconds_bucket');
  const led = exemplars.filter(({ labels }) => traces.has(labels['trace_id'] ?? ''));
  say(`${jaeger.spans.length} spans of ${traces.size} traces, of ${from.join(', ')}; metrics: ${made.join(', ')}`);
  say(`${exemplars.length} exemplars of requests, ${led.length} of traces that arrived`);
  expect(traces.size).toBeGreaterThan(10);
  // What Jaeger's Monitor page asks Prometheus for.
  expect(made).toEqual(expect.arrayContaining(['traces.span.metrics.calls', 'traces.span.metrics.duration']));
  expect(led.length).toBeGreaterThan(0);
}
