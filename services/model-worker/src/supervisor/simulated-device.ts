import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';

const parameter = 'simulated_device_us';

const maxUs = 60_000_000;

/**
 * How long, in milliseconds, each run is to take in addition, without using a processor: the config's parameter
 * `simulated_device_us`, else 0. A bench aid, which stands in for a device that is not there. Throws INVALID_ARGUMENT.
 */
export function simulatedDeviceMs(config: ModelConfig): number {
  const text = Object.hasOwn(config.parameters, parameter) ? config.parameters[parameter]?.string_value : undefined;
  if (text === undefined) return 0;
  const us = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(us) && us >= 0 && us <= maxUs) return us / 1000;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `parameter '${parameter}' must be a whole number of microseconds from 0 to ${maxUs}, got '${text.slice(0, 40)}'`,
  );
}
