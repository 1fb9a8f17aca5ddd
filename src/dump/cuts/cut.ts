/**
 * A cut: a range of one partition that is brought into files as a whole. Its records go into one file for each output
 * path among them; one that cannot be converted goes to the cut's dead letters. `writeCut` (write-cut.ts) does it.
 */
import type { RecordBlock } from '../../model/record-batch.ts';
import type { DumpSettings } from '../settings/settings.ts';

/** Where a cut's records come from: the record log, or the dead letters of an earlier cut. */
export interface CutSource {
  /**
   * Every record in order of sequence number; the numbers within a block follow each other, those of two blocks need
   * not. Can be walked again, from the start, and gives the same then. What is yielded stays as it is until the next
   * one is asked for. Ends early where records in the middle are gone for good; throws LostRecords when the first is.
   */
  batches(): AsyncIterable<readonly RecordBlock[]>;
}

export interface CutToWrite {
  readonly source: CutSource;
  readonly partition: number;
  readonly first: number;
  /** Exclusive. */
  readonly next: number;
  /** Time of the plan in ms. */
  readonly createdAt: number;
  /** Names of the files begin with it: see object-name.ts. */
  readonly baseName: string;
  readonly bucket: string;
  readonly settings: DumpSettings;
  /** JSON of the RowSchema that was known when the cut was planned; undefined for none. Used only where there is no schema. */
  readonly columns: string | undefined;
  /** Never ends early, however many paths there are: what is behind cannot be a cut of its own. */
  readonly whole?: boolean;
}

export interface WrittenFile {
  readonly fileName: string;
  readonly key: string;
  /** See DumpLogTable.path and .period. */
  readonly path: string;
  readonly period: Period | undefined;
  readonly records: number;
  /** Sequence numbers of the first and the last record in it, inclusive. */
  readonly firstRecord: number;
  readonly lastRecord: number;
  readonly bytes: number;
  /** `sha256:<hex>` of the object's bytes. */
  readonly checksum: string;
  readonly etag: string;
}

/** A stretch of time that a directory stands for: [start, end) in ms. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

export interface WrittenDeadLetters {
  readonly key: string;
  readonly records: number;
  readonly bytes: number;
  readonly checksum: string;
}

export interface WrittenCut {
  /** Exclusive end of what was read: the planned one, unless records in between were lost or the paths became too many. */
  readonly next: number;
  /** At least one of files and deadLetters; every record of [first, next) is in exactly one of them. */
  readonly files: readonly WrittenFile[];
  readonly deadLetters: WrittenDeadLetters | undefined;
  /** JSON of a RowSchema: `columns` of the cut and what its records have added; undefined when they have added nothing. */
  readonly columns: string | undefined;
}
