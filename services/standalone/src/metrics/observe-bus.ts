import type { Bus } from '@shoal/bus';
import type { MetricRegistry } from '@shoal/telemetry';

/** Shows how it stands with what joins the processes. In one process it always stands. */
export function observeBus(registry: MetricRegistry, bus: Bus): void {
  registry.observe(
    'gauge',
    { name: 'shoal_bus_connected', help: 'Whether the process is connected to NATS; 1 where it needs none.' },
    (sample) => sample(bus.health.connected ? 1 : 0),
  );
  registry.observe(
    'counter',
    { name: 'shoal_bus_reconnects_total', help: 'Times that the process was connected to NATS again.' },
    (sample) => sample(bus.health.reconnects),
  );
}
