import { type Link, identityLink, logitLink } from '@shoal/explain';
import type { LinkMessage } from './messages';
import { invalid } from './refuse';

/** The link that is asked for; without an epsilon, the usual one. @throws ShoalError INVALID_ARGUMENT */
export function linkOf(message: LinkMessage | null): Link {
  if (message?.function !== 'LOGIT') return identityLink();
  const { epsilon } = message;
  if (!(epsilon >= 0 && epsilon < 0.5)) {
    throw invalid(`link.epsilon is ${epsilon}: expected more than 0 and less than 0.5`);
  }
  return epsilon === 0 ? logitLink() : logitLink(epsilon);
}
