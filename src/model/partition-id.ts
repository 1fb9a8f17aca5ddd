/**
 * The two spellings of a partition: `shardId-0000000003`, which Sluice always writes, and the bare number `3`,
 * which it also reads. The prefix is read in any case, as the Java SDK does.
 */
import { DomainError } from './errors.ts';

const FORM = /^(?:shardid-)?(\d{1,10})$/i;

/** Writes a partition number (0 and up) as `shardId-%010d`. */
export function formatPartitionId(partition: number): string {
  return `shardId-${String(partition).padStart(10, '0')}`;
}

/** Reads either spelling. Throws InvalidPartitionId for anything else. */
export function parsePartitionId(text: string): number {
  const digits = FORM.exec(text)?.[1];
  if (digits === undefined) throw new DomainError('InvalidPartitionId', [text.slice(0, 64)]);
  return Number(digits);
}
