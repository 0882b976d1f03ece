import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';
import type { Execution } from '../control-messages';

const parameter = 'execution_thread';

const choices: readonly Execution[] = ['auto', 'inline', 'thread'];

/** Where a model runs: its config's parameter `execution_thread`, else `auto`. Throws INVALID_ARGUMENT. */
export function executionOf(config: ModelConfig): Execution {
  const text = Object.hasOwn(config.parameters, parameter) ? config.parameters[parameter]?.string_value : undefined;
  if (text === undefined) return 'auto';
  const chosen = choices.find((choice) => choice === text);
  if (chosen !== undefined) return chosen;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `parameter '${parameter}' must be ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}, got '${text.slice(0, 40)}'`,
  );
}
