import { errorTexts } from '@shoal/protocol';

/** Triton's text for a version that is known and does not serve. `queue` is a queue's key: `model/version@generation`. */
export function notReady(queue: string): string {
  const [, model, version] = /^([^/]*)\/(\d+)@/.exec(queue) ?? ['', queue, ''];
  return errorTexts.versionNotReady(model, version).message;
}
