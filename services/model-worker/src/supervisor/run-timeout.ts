import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';

const parameter = 'run_timeout_secs';

/** A model's limit on one run in ms: its config's parameter `run_timeout_secs`, else the server's; 0 = none. */
export function runTimeoutMs(config: ModelConfig, serverMs: number): number {
  const text = Object.hasOwn(config.parameters, parameter) ? config.parameters[parameter]?.string_value : undefined;
  if (text === undefined) return serverMs;
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= 86_400) return seconds * 1000;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `parameter '${parameter}' must be a number of seconds from 0 to 86400, got '${text.slice(0, 40)}'`,
  );
}
