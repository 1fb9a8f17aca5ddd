/** Ids of requests: unique in this process and, but for a freak of chance, anywhere. */
import type { Random } from '../platform/random.ts';

/** Returns a function that makes 32 hex digits a call: 16 of this process, then a counter. Costs no entropy a call. */
export function requestIds(random: Random): () => string {
  const prefix = random.bytes(8).toString('hex');
  let count = 0;
  return () => prefix + (count++).toString(16).padStart(16, '0');
}
