/**
 * The embedded record log: one sequential commit log on local disk for all partitions of the node. See
 * docs/STORAGE-FORMAT.md for the bytes, appender.ts, reader.ts, recovery.ts and reclaim.ts for the parts.
 *
 * The caller makes sure that no other process has the folder open.
 */
import { dirname } from 'node:path';
import { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import type { FileSystem } from '../../platform/file-system.ts';
import type {
  AppendBatch,
  AppendOutcome,
  Extent,
  PartitionBounds,
  ReadOptions,
  RecordBlock,
  RecordLog,
} from '../record-log.ts';
import { Appender } from './appender.ts';
import { PartitionMap, type PartitionLog } from './partition-log.ts';
import { Reader } from './reader.ts';
import { Reclaimer } from './reclaim.ts';
import { recover } from './recovery.ts';
import { OpenFiles } from './segment.ts';

const OPEN_FILES = 64;
const LIST_CACHE_BYTES = 16 * 1024 * 1024;

export interface LocalLogOptions {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  /** Every partition that exists: the log may hold records of these. */
  readonly partitions: Iterable<PartitionRef>;
  /** Numbers of streams that were deleted: what the log still holds of them is given up. */
  readonly deletedStreams: Iterable<number>;
  /** Size at which a segment is sealed, in bytes. */
  readonly segmentBytes: number;
  /** Appends beyond this many waiting bytes are refused. */
  readonly maxPendingBytes: number;
  /** Told how many ms the write and the sync of a group of appends took together. */
  readonly onSynced?: (ms: number) => void;
  /** What an operator should know: damage, failures, torn tails. */
  readonly report: (level: 'warn' | 'error', message: string, error?: unknown) => void;
}

/**
 * Opens the log, bringing back what an earlier process left. Throws when a segment belongs to a stream that is in
 * neither list: then the catalog is not the one of this log.
 */
export async function openLocalLog(options: LocalLogOptions): Promise<RecordLog> {
  const { directory, fileSystem, clock, segmentBytes, maxPendingBytes, onSynced = () => undefined, report } = options;
  await fileSystem.makeDirectory(directory);
  await fileSystem.syncDirectory(dirname(directory));
  const partitions = new PartitionMap();
  for (const ref of options.partitions) partitions.add(ref);
  const deleted = new Set(options.deletedStreams);
  const openFiles = new OpenFiles(OPEN_FILES);
  const segments = await recover({
    directory,
    fileSystem,
    openFiles,
    partitions,
    isDeleted: (stream) => deleted.has(stream),
    report: ({ serious, segment, message }) => report(serious ? 'error' : 'warn', `${segment}: ${message}`),
  });

  const newest = segments.at(-1);
  const onError = (message: string, error: unknown) => report('error', message, error);
  const appender = await Appender.open(
    {
      directory,
      fileSystem,
      openFiles,
      partitions,
      clock,
      segmentBytes,
      maxPendingBytes,
      onSynced,
      onError,
      onSealed: (segment) => reclaimer.add(segment),
    },
    (newest?.id ?? 0) + 1,
    newest?.dataEnd ?? 0,
  );
  // Only now: until a newer segment tells the numbers of every partition, the newest old one must stay.
  const reclaimer = new Reclaimer(
    { fileSystem, openFiles, partitions, onError, checkpoint: () => appender.checkpoint() },
    segments,
  );
  const reader = new Reader({ listCacheBytes: LIST_CACHE_BYTES, report: (message) => report('error', message) });
  return new LocalLog(partitions, appender, reader, reclaimer);
}

class LocalLog implements RecordLog {
  readonly #partitions: PartitionMap;
  readonly #appender: Appender;
  readonly #reader: Reader;
  readonly #reclaimer: Reclaimer;

  constructor(partitions: PartitionMap, appender: Appender, reader: Reader, reclaimer: Reclaimer) {
    this.#partitions = partitions;
    this.#appender = appender;
    this.#reader = reader;
    this.#reclaimer = reclaimer;
  }

  get failure(): DomainError | undefined {
    return this.#appender.failure;
  }

  async addPartitions(refs: readonly PartitionRef[]): Promise<void> {
    for (const ref of refs) this.#partitions.add(ref);
  }

  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    return this.#appender.append(batches);
  }

  async bounds(ref: PartitionRef): Promise<PartitionBounds> {
    return boundsOf(this.#partition(ref));
  }

  async boundsOf(refs: readonly PartitionRef[]): Promise<(PartitionBounds | undefined)[]> {
    return refs.map((ref) => {
      const partition = this.#partitions.get(ref);
      return partition === undefined ? undefined : boundsOf(partition);
    });
  }

  async read(ref: PartitionRef, from: number, maxBytes: number, options?: ReadOptions): Promise<RecordBlock[]> {
    return this.#reader.read(this.#partition(ref), from, maxBytes, options);
  }

  async arrivalTime(ref: PartitionRef, sequence: number): Promise<number | undefined> {
    return this.#reader.arrivalTime(this.#partition(ref), sequence);
  }

  async seek(ref: PartitionRef, time: number): Promise<number> {
    return this.#reader.seek(this.#partition(ref), time);
  }

  async measure(ref: PartitionRef, from: number, maxBytes: number): Promise<Extent> {
    return this.#reader.measure(this.#partition(ref), from, maxBytes);
  }

  async trim(ref: PartitionRef, before: number): Promise<void> {
    this.#giveUp(this.#partition(ref).trim(before));
  }

  /** Whoever knows how long records are wanted trims them. */
  async keepFor(): Promise<void> {}

  async deleteStream(stream: number): Promise<void> {
    this.#giveUp(this.#partitions.removeStream(stream).flatMap(({ extents }) => extents));
  }

  async close(): Promise<void> {
    await this.#reclaimer.stop();
    await this.#appender.close();
    await this.#reclaimer.closeFiles();
  }

  #giveUp(extents: Parameters<Reclaimer['drop']>[0]): void {
    this.#reclaimer.drop(extents);
    const { segment } = this.#appender;
    // The open segment cannot be removed: the next append begins another one, and this one goes once it is sealed.
    if (segment !== undefined && segment.bytes > 0 && segment.liveBytes === 0) this.#appender.roll();
  }

  #partition(ref: PartitionRef): PartitionLog {
    const partition = this.#partitions.get(ref);
    if (partition === undefined) throw new DomainError('StreamNotFound', [ref.stream]);
    return partition;
  }
}

function boundsOf({ first, next }: PartitionLog): PartitionBounds {
  return { first, next };
}
