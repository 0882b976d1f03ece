import { totalmem } from 'node:os';

/** Bytes of unanswered requests to hold where none are configured: a quarter of what this process may use. */
export function defaultInflightBytes(): number {
  // 0 or an absurd number where the container sets no limit.
  const constrained = process.constrainedMemory?.() ?? 0;
  const total = totalmem();
  const usable = constrained > 0 && constrained < total ? constrained : total;
  return Math.floor(usable / 4);
}
