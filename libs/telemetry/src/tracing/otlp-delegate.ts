import { createOtlpGrpcExportDelegate, convertLegacyOtlpGrpcOptions } from '@opentelemetry/otlp-grpc-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { listenToDiagnostics } from '../diagnostics';
import type { OtlpProtocol } from './environment';
import { readPartialSuccess } from './partial-success';
import type { EncodedBatch } from './span-queue';

/** What the code of OpenTelemetry's exporters is used for: it sends bytes that are complete, as its variables say (from process.env). */
export interface SpanSender {
  /** Calls `done` once, with what went wrong. */
  send(batch: EncodedBatch, done: (error: Error | undefined) => void): void;
  /** To be called when nothing is under way, or what is shall be cut off. */
  close(): Promise<void>;
}

/** For the metrics that these exporters could keep of themselves. */
const counted = { name: 'span' as const, countItems: ({ spans }: EncodedBatch) => spans };

/** OpenTelemetry's code tells of the partial success. */
const serializer = {
  serializeRequest: ({ request }: EncodedBatch) => request,
  deserializeResponse(response: Uint8Array) {
    const partialSuccess = readPartialSuccess(response);
    return partialSuccess ? { partialSuccess } : {};
  },
};

/**
 * The parts of OpenTelemetry that speak OTLP; this file is the only one that needs them, and is loaded only where traces are exported.
 * @param warn Told what they have to say.
 */
export function createSpanSender(protocol: OtlpProtocol, warn: (text: string) => void): SpanSender {
  listenToDiagnostics(warn);
  if (protocol === 'grpc') {
    const delegate = createOtlpGrpcExportDelegate(
      convertLegacyOtlpGrpcOptions({}, 'TRACES'),
      serializer,
      'otlp_grpc_span_exporter',
      counted,
      undefined,
      'TraceExportService',
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    );
    return sender(delegate, () => undefined);
  }
  const options = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' });
  const { agentFactory } = options;
  const agents: { destroy(): void }[] = [];
  const delegate = createOtlpHttpExportDelegate(
    {
      ...options,
      async agentFactory(scheme) {
        const agent = await agentFactory(scheme);
        agents.push(agent);
        return agent;
      },
    },
    serializer,
    'otlp_http_span_exporter',
    counted,
    undefined,
  );
  // Else its idle connections would stay.
  return sender(delegate, () => agents.forEach((agent) => agent.destroy()));
}

/** Of @opentelemetry/core's ExportResultCode. */
const success = 0;

type Delegate = ReturnType<typeof createOtlpGrpcExportDelegate<EncodedBatch, unknown>>;

function sender(delegate: Delegate, end: () => void): SpanSender {
  return {
    send(batch, done) {
      delegate.export(batch, (result) => {
        const code: number = result.code;
        done(code === success ? undefined : (result.error ?? new Error('the export failed')));
      });
    },
    close() {
      // What is still under way is too late.
      end();
      return delegate.shutdown();
    },
  };
}
