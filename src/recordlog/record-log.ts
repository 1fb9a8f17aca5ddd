/**
 * The durable records of every stream: the contract between Sluice and whatever keeps them. `local/` is one commit log
 * on the local disk, `kafka/` a topic a stream. The rules of the API (limits, cursors, retention in hours, states) live above it, once.
 *
 * Order: within a partition records are numbered from 0 without gaps in the order of their appends, and arrival times
 * never go back. Durability: an append resolves only when its records are on stable storage, and nothing is readable
 * before that.
 */
import type { DomainError } from '../model/errors.ts';
import type { RecordBlock } from '../model/record-batch.ts';
import type { PartitionRef } from '../model/stream.ts';

export type { RecordBlock } from '../model/record-batch.ts';

/** The records of one partition from one request. */
export interface AppendBatch {
  readonly ref: PartitionRef;
  /** Number of frames in `frames`, at least 1. */
  readonly count: number;
  /** Frames as in model/record-batch.ts. The log keeps a reference until the append is done: do not change them. */
  readonly frames: Buffer;
}

/** What became of one batch: all of its records stored, or none. */
export type AppendOutcome = { readonly firstSequence: number; readonly time: number } | { readonly error: DomainError };

export interface PartitionBounds {
  /** The oldest record that is kept; equals `next` when none is. */
  readonly first: number;
  /** The number that the next record will get. Only durable records count. */
  readonly next: number;
}

export interface Extent {
  /** Exclusive end of the measured range: at most `bounds().next`. */
  readonly to: number;
  /** Payload bytes in the range, frame heads and keys included. */
  readonly bytes: number;
}

export interface ReadOptions {
  /** Stop after the block that brings the answer to this many records. */
  readonly maxRecords?: number;
  /**
   * Where the bytes of the blocks go: a buffer of at least `size` bytes. Whoever provides it knows when the blocks are
   * done with, so that large buffers can be used again; without it they are left to the garbage collector.
   */
  readonly allocate?: (size: number) => Buffer;
}

export interface RecordLog {
  /** Makes partitions known; they start empty at 0. Adding one that exists changes nothing. */
  addPartitions(refs: readonly PartitionRef[]): Promise<void>;

  /**
   * Appends the batches of one request; outcomes in their order. Rejects only for a bug. Refusals are outcomes:
   * StreamNotFound, DiskFull, LogReadOnly, ShuttingDown, TooManyRequests (too many bytes wait for the disk).
   */
  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]>;

  /** Throws StreamNotFound for a partition that is not known. What was acknowledged before the call is within them. */
  bounds(ref: PartitionRef): Promise<PartitionBounds>;

  /** The bounds of many partitions for the price of one; undefined for one that is not known. */
  boundsOf(refs: readonly PartitionRef[]): Promise<(PartitionBounds | undefined)[]>;

  /**
   * Records from `from` (inclusive) on, in order and without gaps, the first block cut so that it starts at `from`.
   * Returns at least one block when `from < next`, and stops after the block that brings the frames to `maxBytes`.
   * Throws SequenceNumberOutOfRange below `first`, and DamagedRecords when the record at `from` cannot be read back; a
   * damaged record further on ends the answer before it.
   */
  read(ref: PartitionRef, from: number, maxBytes: number, options?: ReadOptions): Promise<RecordBlock[]>;

  /** When the record at `sequence` arrived, in ms; undefined when it is not kept. Its contents are not looked at. */
  arrivalTime(ref: PartitionRef, sequence: number): Promise<number | undefined>;

  /** The number of the first kept record that arrived at or after `time` (ms); `next` when there is none. */
  seek(ref: PartitionRef, time: number): Promise<number>;

  /**
   * How far a file of about `maxBytes` would reach from `from`: the shortest range of whole blocks holding at least
   * `maxBytes`, or everything there is.
   */
  measure(ref: PartitionRef, from: number, maxBytes: number): Promise<Extent>;

  /** Gives up records below `before`; their space comes back when nothing else needs it. Never moves back. */
  trim(ref: PartitionRef, before: number): Promise<void>;

  /**
   * Tells for how long (ms from their arrival) the records of a stream are wanted at least, so that a log which can do so
   * may drop older ones by itself. Undefined, and until this is called: until they are trimmed.
   */
  keepFor(stream: number, ms: number | undefined): Promise<void>;

  /**
   * Gives up a stream and all of its records: at once for readers; the space comes back in the background. The stream
   * number must not be used again.
   */
  deleteStream(stream: number): Promise<void>;

  /** Why appends are refused at the moment, or undefined when they are taken. */
  readonly failure: DomainError | undefined;

  /** Waits for running appends, refuses new ones, makes the next start quick. */
  close(): Promise<void>;
}

/** Records that were stored but cannot be read back: [from, to) of one partition. */
export class DamagedRecords extends Error {
  readonly ref: PartitionRef;
  readonly from: number;
  readonly to: number;

  constructor(ref: PartitionRef, from: number, to: number, cause?: unknown) {
    super(`records [${from}, ${to}) of stream ${ref.stream} partition ${ref.partition} are damaged`, { cause });
    this.name = 'DamagedRecords';
    this.ref = ref;
    this.from = from;
    this.to = to;
  }
}
