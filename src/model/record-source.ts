/**
 * The records of a put request as they came, whatever form they came in: their members are read where they lie, so
 * that no form needs an object per record. `index` is a record's place in the request, from 0; members that are absent,
 * null or empty are all the same.
 */
import type { DomainError } from './errors.ts';
import type { KeyHash } from './key-hash.ts';

export interface RecordSource {
  /** Number of records. */
  readonly count: number;
  /** What is wrong with a record in its form alone; whether its payload can be decoded is seen when it is written. */
  problem(index: number): DomainError | undefined;
  /** Room that the payload takes in bytes, at the least what `writeData` writes; -1 when it cannot be decoded. */
  dataBytes(index: number): number;
  /** Writes the payload into `dataBytes` bytes at `offset`. Returns the bytes written, -1 when it cannot be decoded. */
  writeData(index: number, target: Buffer, offset: number): number;
  /** `""` for none. */
  partitionId(index: number): string;
  /** `""` for none. */
  explicitHashKey(index: number): string;
  /** Bytes of the partition key in UTF-8, at least 1; -1 for none. */
  keyBytes(index: number): number;
  /** The hash of the partition key, which must be there. */
  hashKey(index: number, target: KeyHash): void;
  /** Writes the `keyBytes` bytes of the partition key, which must be there. */
  writeKey(index: number, target: Buffer, offset: number): void;
  /** The producer's own time in ms; -1 for none. */
  timestamp(index: number): number;
}
