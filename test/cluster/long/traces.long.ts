import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, startCluster } from '../../support/cluster';
import { Collector } from '../../support/collector';
import { ExplainClient } from '../../support/explain-client';
import { diabetesRequest } from '../../support/explain-requests';
import { Phoenix, type StoredSpan } from '../../support/phoenix';
import { roundsFor, slowInputs } from '../../support/slow';
import { inferRequest } from '../../support/tensors';
import { Caller } from '../../support/traces';
import { eventually } from '../../support/waiting';

/**
 * A cluster's traces, by way of a real collector with our configuration, in a real store, as its API and its pages tell of them. Wants
 * nats-server; a collector (infra/otel/validate.sh builds one, or $OTELCOL names it); Phoenix ($PHOENIX: `pip install arize-phoenix` in a
 * virtual environment); for a picture Chromium ($CHROMIUM, else `chromium`).
 */
jest.setTimeout(400_000);

const method = 'inference.GRPCInferenceService/ModelInfer';
/** Of the pictures. */
const size = '1400,780';
let phoenix: Phoenix;
let collector: Collector;
let cluster: Cluster;

beforeAll(async () => {
  const store = await Phoenix.start();
  if (!store) throw new Error('this needs Phoenix: PHOENIX=VENV/bin/phoenix');
  phoenix = store;
  const between = await Collector.start(phoenix.otlp);
  if (!between) throw new Error('this needs a collector: OTELCOL=FILE, or infra/otel/validate.sh');
  collector = between;
  const started = await startCluster(
    { slow_loop: {}, diabetes_mlp: {} },
    { router: 1, batching: 1, 'model-worker': 1, explainability: 1 },
    {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      },
    },
  );
  if (!started) throw new Error('this needs nats-server');
  cluster = started;
});

afterAll(async () => {
  await cluster?.close();
  await collector?.close();
  await phoenix?.close();
});

/** The spans of those traces that hold one that is `meant`, once there are so many. */
async function stored(count: number, meant: (span: StoredSpan) => boolean): Promise<StoredSpan[]> {
  return eventually(
    `${count} spans are stored`,
    async () => {
      const all = await phoenix.spans();
      const traces = new Set(all.filter(meant).map(({ context }) => context.trace_id));
      const found = all.filter(({ context }) => traces.has(context.trace_id));
      if (found.length < count) throw new Error(`there are ${found.length}`);
      return found;
    },
    60_000,
  );
}

function seconds({ start_time: start, end_time: end }: StoredSpan): number {
  return (Date.parse(end) - Date.parse(start)) / 1000;
}

test('one request through four processes is one trace in the store', async () => {
  const { client } = cluster.doors[0]!;
  const rounds = await roundsFor(client, 80);
  await client.infer(inferRequest('slow_loop', slowInputs(rounds), { id: 'shown' }));
  const spans = await stored(6, ({ attributes }) => attributes['triton.request_id'] === 'shown');
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    'answer',
    'compute',
    method,
    'queue',
    'slow_loop',
    'transfer',
  ]);
  const [door, work] = [method, 'slow_loop'].map((name) => spans.find((span) => span.name === name)!);
  expect([door!.parent_id, work!.parent_id]).toEqual([null, door!.context.span_id]);
  const parts = spans.filter(({ parent_id: parent }) => parent === work!.context.span_id);
  expect(parts).toHaveLength(4);
  const sum = parts.map(seconds).reduce((all, one) => all + one, 0);
  process.stdout.write(
    `${[door!, work!, ...parts].map((span) => `${span.name} ${(1000 * seconds(span)).toFixed(1)} ms`).join(', ')}\n`,
  );
  expect(sum).toBeLessThanOrEqual(seconds(work!) + 0.1);
  expect(seconds(work!)).toBeLessThanOrEqual(seconds(door!) + 0.001);
  picture(await phoenix.page(door!.context.trace_id));
});

test('one explanation is one trace in the store', async () => {
  const caller = new Caller();
  const explain = new ExplainClient(cluster.doors[0]!.address);
  const request = diabetesRequest({ permutation: {}, budget: { max_evaluations: 44 } });
  const ask = () => explain.explain(request, { metadata: caller.headers() });
  const { usage } = await eventually('it is explained', ask, 60_000);
  explain.close();
  const of = ({ context }: StoredSpan) => context.trace_id === caller.traceId;
  const spans = await stored(3 + 6 * usage.requests, of);
  expect(spans.filter(({ name }) => name === 'compute')).toHaveLength(usage.requests);
  expect(spans.filter(({ name }) => name === 'explain')).toHaveLength(1);
});

/** Of a page, in $SHOAL_REPORT. */
function picture(url: string): void {
  const file = process.env['SHOAL_REPORT'];
  if (file === undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-chromium-'));
  const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
  const page = [
    `--window-size=${size}`,
    '--hide-scrollbars',
    '--virtual-time-budget=30000',
    `--screenshot=${file}`,
    url,
  ];
  const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}`, ...quiet, ...page];
  const { status, stderr } = spawnSync(process.env['CHROMIUM'] ?? 'chromium', args, { timeout: 120_000 });
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) throw new Error(`no picture was taken: ${String(stderr).slice(-1000)}`);
}
