import { dashboard } from './dashboard';
import { lines, stat } from './panels';
import { ofProcess, quantile, rate, total } from './queries';

/** Of all that Prometheus scrapes: what is ours. */
const ours = `${ofProcess}, job=~".*shoal.*"`;
const byProcess = ['service', 'instance'] as const;
const legend = '{{service}} {{instance}}';

/** The processes, what joins them, and the machines that they run on. */
export const cluster = dashboard({
  name: 'cluster',
  title: 'cluster',
  description: 'Processes, runners, devices, links, NATS, and what the telemetry itself loses.',
  choices: ['instance'],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Processes',
          description: 'Processes that Prometheus reaches.',
          unit: 'none',
          width: 4,
          query: { expr: `sum(up{${ours}})` },
        }),
        stat({
          title: 'Out of reach',
          description: 'Processes that Prometheus knows of and does not reach.',
          unit: 'none',
          width: 4,
          limits: [1, 1],
          query: { expr: `sum(up{${ours}} == bool 0)` },
        }),
        stat({
          title: 'Runners',
          description: 'Runner processes that serve models.',
          unit: 'none',
          width: 4,
          query: { expr: total('shoal_runners', `${ofProcess}, state="serving"`) },
        }),
        stat({
          title: 'Without NATS',
          description: 'Processes whose connection to NATS is down. They serve on; nothing can be changed.',
          unit: 'none',
          width: 4,
          limits: [1, 1],
          query: { expr: `sum(shoal_bus_connected{${ofProcess}} == bool 0)` },
        }),
        stat({
          title: 'Runners restarted',
          description: 'In the time that is shown.',
          unit: 'none',
          width: 4,
          decimals: 0,
          limits: [1, 5],
          query: { expr: `sum(increase(shoal_runner_restarts_total{${ofProcess}}[$__range]))` },
        }),
        stat({
          title: 'Spans lost',
          description:
            'Spans dropped in the time that is shown, because the collector did not keep up or was not there.',
          unit: 'none',
          width: 4,
          decimals: 0,
          limits: [1, 1000],
          query: { expr: `sum(increase(shoal_spans_dropped_total{${ofProcess}}[$__range]))` },
        }),
      ],
    },
    {
      title: 'Processes',
      panels: [
        lines({
          title: 'Processes by service',
          description: 'Processes that Prometheus reaches.',
          unit: 'none',
          width: 8,
          queries: [{ expr: total('up', ours, 'service'), legend: '{{service}}' }],
        }),
        lines({
          title: 'Versions',
          description: 'Processes by the version that they run: two of them during a rolling update.',
          unit: 'none',
          width: 8,
          stacked: true,
          queries: [{ expr: `count by (version) (shoal_build_info{${ofProcess}})`, legend: '{{version}}' }],
        }),
        lines({
          title: 'Event loop, delay of the worst in a hundred',
          description:
            'How late each process gets to its work: what every request waits besides. Above 0.1 s something blocks the loop.',
          unit: 's',
          width: 8,
          queries: [{ expr: quantile(0.99, 'shoal_event_loop_delay_seconds', ofProcess, ...byProcess), legend }],
        }),
        lines({
          title: 'Processors',
          description: 'Processors that each process keeps busy.',
          unit: 'none',
          width: 8,
          queries: [{ expr: rate('process_cpu_seconds_total', ours, ...byProcess), legend }],
        }),
        lines({
          title: 'Memory',
          description: 'Resident memory of each process; its runners are processes of their own.',
          unit: 'bytes',
          width: 8,
          queries: [
            { expr: total('process_resident_memory_bytes', ours, ...byProcess), legend },
            { expr: total('nodejs_heap_used_bytes', ours, ...byProcess), legend: `${legend} heap` },
          ],
        }),
        lines({
          title: 'Open files',
          description: 'File descriptors of each process, most of them connections.',
          unit: 'none',
          width: 8,
          queries: [{ expr: total('process_open_fds', ours, ...byProcess), legend }],
        }),
      ],
    },
    {
      title: 'Runners and devices',
      panels: [
        lines({
          title: 'Runners by state',
          description: 'Runner processes of each model, on all workers.',
          unit: 'none',
          width: 8,
          stacked: true,
          queries: [{ expr: total('shoal_runners', ofProcess, 'model', 'state'), legend: '{{model}} {{state}}' }],
        }),
        lines({
          title: 'Runners restarted',
          description: 'Runners that ended and were started again, in a minute.',
          unit: 'cpm',
          width: 8,
          queries: [{ expr: `60 * ${rate('shoal_runner_restarts_total', ofProcess, ...byProcess)}`, legend }],
        }),
        lines({
          title: 'Requests offered again',
          description: 'Requests that a router had to offer once more, in a second, by cause.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: rate('shoal_request_retries_total', ofProcess, 'cause'), legend: '{{cause}}' }],
        }),
        lines({
          title: 'Machine: processors',
          description: 'Share of all processors of the machine that is in use.',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [{ expr: `max by (instance) (nv_cpu_utilization{${ofProcess}})`, legend: '{{instance}}' }],
        }),
        lines({
          title: 'Machine: memory',
          description: 'Memory of the machine in use.',
          unit: 'bytes',
          width: 8,
          queries: [
            { expr: `max by (instance) (nv_cpu_memory_used_bytes{${ofProcess}})`, legend: '{{instance}} used' },
            { expr: `max by (instance) (nv_cpu_memory_total_bytes{${ofProcess}})`, legend: '{{instance}} total' },
          ],
        }),
        lines({
          title: 'Devices',
          description:
            "Utilisation of GPUs, where Prometheus scrapes NVIDIA's DCGM exporter: Shoal itself tells nothing of devices.",
          unit: 'percent',
          width: 8,
          max: 100,
          queries: [{ expr: 'max by (Hostname, gpu) (DCGM_FI_DEV_GPU_UTIL)', legend: '{{Hostname}} {{gpu}}' }],
        }),
      ],
    },
    {
      title: 'Links and NATS',
      panels: [
        lines({
          title: 'Links',
          description: 'Links by what is at their other end.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: total('shoal_links', ofProcess, 'service', 'peer_role', 'state'),
              legend: '{{service}} to {{peer_role}} {{state}}',
            },
          ],
        }),
        lines({
          title: 'Connected to NATS',
          description: '1 while a process is connected.',
          unit: 'none',
          width: 8,
          max: 1,
          queries: [{ expr: `min by (service, instance) (shoal_bus_connected{${ofProcess}})`, legend }],
        }),
        lines({
          title: 'Connected to NATS again',
          description: 'Times that a process lost NATS and came back, in a minute.',
          unit: 'cpm',
          width: 8,
          queries: [{ expr: `60 * ${rate('shoal_bus_reconnects_total', ofProcess, ...byProcess)}`, legend }],
        }),
      ],
    },
    {
      title: 'Telemetry',
      panels: [
        lines({
          title: 'Exported and lost by services',
          description: 'Spans that the collector took, spans dropped, and exports that failed, in a second.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: rate('shoal_spans_exported_total', ofProcess, ...byProcess), legend: `${legend} spans exported` },
            { expr: rate('shoal_spans_dropped_total', ofProcess, ...byProcess), legend: `${legend} spans dropped` },
            { expr: rate('shoal_exports_failed_total', ofProcess, ...byProcess), legend: `${legend} exports failed` },
          ],
        }),
        lines({
          title: 'Spans through the collector',
          description: 'Spans that came in, went out, and were refused, in a second.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: 'sum(rate(otelcol_receiver_accepted_spans[$__rate_interval]))', legend: 'in' },
            { expr: 'sum(rate(otelcol_exporter_sent_spans[$__rate_interval]))', legend: 'out' },
            { expr: 'sum(rate(otelcol_receiver_refused_spans[$__rate_interval]))', legend: 'refused' },
            { expr: 'sum(rate(otelcol_exporter_send_failed_spans[$__rate_interval]))', legend: 'failed' },
          ],
        }),
        lines({
          title: 'Scrapes',
          description: 'How long Prometheus takes to read the metrics of each process.',
          unit: 's',
          width: 8,
          queries: [{ expr: `max by (service, instance) (scrape_duration_seconds{${ours}})`, legend }],
        }),
      ],
    },
  ],
});
