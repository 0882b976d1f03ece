import { ShoalError } from '@shoal/core';
import { errorTexts } from '@shoal/protocol';
import type { LogControl } from '@shoal/telemetry';
import { badSetting } from './parse-setting';

/** One setting as it travels; the oneof's chosen member is named by `parameter_choice`. */
export interface LogValue {
  readonly parameter_choice?: 'bool_param' | 'uint32_param' | 'string_param';
  readonly bool_param?: boolean;
  readonly uint32_param?: number;
  readonly string_param?: string;
}

const switches = { log_info: 'info', log_warning: 'warn', log_error: 'error' } as const;
const formats = ['default', 'ISO8601'];

/** What LogSettings shows and changes; it is the log's own control that changes, at once. */
export class LogSettings {
  readonly #control: LogControl;
  /** Remembered for clients that ask; the log's lines are JSON with ISO 8601 times in either. */
  #format = 'default';

  constructor(control: LogControl) {
    this.#control = control;
  }

  /** As it stands. */
  get control(): Readonly<LogControl> {
    return this.#control;
  }

  get(): Readonly<Record<string, LogValue>> {
    return {
      log_file: { string_param: '' },
      log_info: { bool_param: this.#control.info },
      log_warning: { bool_param: this.#control.warn },
      log_error: { bool_param: this.#control.error },
      log_verbose_level: { uint32_param: this.#control.verboseLevel },
      log_format: { string_param: this.#format },
    };
  }

  /**
   * Applies all of `changes` or, when it throws, none; unknown keys are ignored, as Triton does.
   * @throws ShoalError INVALID_ARGUMENT, or UNIMPLEMENTED for `log_file`, in Triton's words.
   */
  update(changes: Readonly<Record<string, LogValue>>): void {
    if ('log_file' in changes) {
      throw new ShoalError('UNIMPLEMENTED', 'log file location can not be updated through network protocol');
    }
    const next: Partial<LogControl> = {};
    for (const [key, field] of Object.entries(switches)) {
      const value = changes[key];
      if (!value) continue;
      if (value.parameter_choice !== 'bool_param') throw badSetting(`expect boolean for '${key}'`);
      next[field] = value.bool_param ?? false;
    }
    const level = changes['log_verbose_level'];
    if (level && level.parameter_choice !== 'uint32_param') throw badSetting("expect int32 for 'log_verbose_level'");
    if (level) next.verboseLevel = level.uint32_param ?? 0;
    const format = changes['log_format'];
    if (format && format.parameter_choice !== 'string_param') throw badSetting("expect string for 'log_format'");
    const formatName = format?.string_param ?? this.#format;
    if (!formats.includes(formatName)) {
      throw badSetting(`invalid argument for log_format, got: ${errorTexts.clip(formatName)}`);
    }
    Object.assign(this.#control, next);
    this.#format = formatName;
  }
}
