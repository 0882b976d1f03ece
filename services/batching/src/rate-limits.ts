import { ShoalError } from '@shoal/core';
import type { RateLimits, RunnerPlace } from '@shoal/scheduler';
import type { RunnerAnnouncement } from '@shoal/bus';
import type { BatchingConfig } from './flags';

interface Stated {
  readonly name: string;
  readonly count: number;
  /** A GPU's number; undefined = every device, and global resources. */
  readonly device: string | undefined;
}

/**
 * How runners share devices; undefined where they do not.
 * @throws ShoalError INVALID_ARGUMENT for a resource that is not NAME:COUNT or NAME:COUNT:DEVICE.
 */
export function compileRateLimits({
  rateLimit,
  rateLimitResource,
  deviceBatches,
}: Pick<BatchingConfig, 'rateLimit' | 'rateLimitResource' | 'deviceBatches'>): RateLimits | undefined {
  const stated = rateLimitResource.map(resourceOf);
  if (rateLimit === 'off') return undefined;
  return {
    turn: rateLimit === 'device_time' ? 'time' : 'executions',
    perDevice: rateLimit === 'device_time' ? deviceBatches : 0,
    available(name, device) {
      const number = / (\d+)$/.exec(device)?.[1];
      const known = stated.filter((one) => one.name === name);
      const own = known.find((one) => one.device !== undefined && one.device === number);
      return (own ?? known.find((one) => one.device === undefined))?.count;
    },
  };
}

/** Where a runner is, as its worker announced it. Devices are shared by what one worker has there. */
export function placeOf({ worker = '', device, limiter }: RunnerAnnouncement): RunnerPlace {
  return { device: `${worker}/${device}`, needs: limiter?.resources ?? [], priority: limiter?.priority ?? 1 };
}

function resourceOf(text: string): Stated {
  const [, name, count, device] = /^([^:]+):(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (name === undefined) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `--rate-limit-resource must be NAME:COUNT or NAME:COUNT:DEVICE, as in R1:4:0; it is '${text}'`,
    );
  }
  return { name, count: Number(count), device };
}
