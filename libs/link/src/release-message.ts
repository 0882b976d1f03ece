import { releaseBytes } from './bytes';
import type { LinkMessage } from './messages';

/** Says that nobody reads the bytes of a message that was received. */
export function releaseMessage(message: LinkMessage): void {
  if (message.kind === 'answer') releaseBytes(message.response);
  else if (message.kind === 'data') for (const { bytes } of message.inputs) releaseBytes(bytes);
}
