import { parseFlags } from '@shoal/config';
import { ShoalError } from '@shoal/core';
import { controlClient, controlFlags } from '../client/control-client';
import type { RequestStory } from './messages';
import { renderStory } from './render-story';
import { whyFlags } from './batching-flags';

/** What `why` needs of the process around it. */
export interface WhyShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
}

/**
 * `shoal why REQUEST-ID`: what became of a recent request. @throws ShoalError INVALID_ARGUMENT for wrong options, NOT_FOUND when nobody
 * remembers it, and as the server says.
 */
export async function why(argv: readonly string[], { env, print }: WhyShell): Promise<number> {
  const [id = '', ...rest] = argv;
  if (id === '' || id.startsWith('--')) {
    throw new ShoalError('INVALID_ARGUMENT', 'shoal why needs a request: shoal why REQUEST-ID, before any option');
  }
  const config = parseFlags({ ...whyFlags, ...controlFlags }, { argv: rest, env });
  const client = controlClient(config, 'shoal/control/v1/batching.proto', 'shoal.control.v1.Batching');
  try {
    const { requests } = await client.call<{ requests: readonly RequestStory[] }>('GetRequest', {
      id,
      limit: config.limit,
    });
    print(config.json ? JSON.stringify(requests, undefined, 2) : requests.map(renderStory).join('\n\n'));
    return 0;
  } finally {
    client.close();
  }
}
