import { DiagLogLevel, diag } from '@opentelemetry/api';

/** Hears what OpenTelemetry's code has to say. Each text once: while a collector is away they would come with each attempt. */
export function listenToDiagnostics(warn: (text: string) => void): void {
  const told = new Set<string>();
  const tell = (message: string, ...rest: unknown[]) => {
    const text = [message, ...rest.filter((one) => typeof one === 'string')].join(' ').slice(0, 500);
    if (told.size >= 100 || told.has(text)) return;
    told.add(text);
    warn(text);
  };
  const nothing = () => undefined;
  diag.setLogger(
    { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
