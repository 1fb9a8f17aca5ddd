/**
 * The writing end of the log: group commit into the open segment.
 *
 * Requests that arrive while a group is on its way to the disk form the next group: one write, one sync, then all of
 * them are answered. Numbers are given when a group is formed, so that a group that fails takes none with it. Nothing
 * becomes readable, and nothing is answered, before its sync has returned.
 *
 * Without space the file is cut back to what is synced and the next group tries again. After any other failure nothing
 * is known about the file any more: the log refuses appends until it is opened anew, and never syncs again.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DomainError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { File, FileSystem } from '../../platform/file-system.ts';
import type { AppendBatch, AppendOutcome } from '../record-log.ts';
import { BlockList } from './block-list.ts';
import { BLOCK_HEADER_BYTES, encodeBlockHeader, encodeFileHeader, encodeState, FILE_HEADER_BYTES } from './format.ts';
import { KIND_RECORDS, KIND_STATE } from './format.ts';
import type { PartitionLog, PartitionMap } from './partition-log.ts';
import { isNoSpace } from './no-space.ts';
import { writeIndex } from './segment-index.ts';
import { Extent, Segment, segmentName, type OpenFiles } from './segment.ts';

/** A group stops growing here, so that one sync does not keep too many waiting. */
const GROUP_BYTES = 16 * 1024 * 1024;
/** An older segment is sealed at the next append, so that a quiet stream's space comes back too. */
const SEGMENT_MAX_AGE_MS = 3_600_000;

export interface AppenderOptions {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly openFiles: OpenFiles;
  readonly partitions: PartitionMap;
  readonly clock: Clock;
  readonly segmentBytes: number;
  readonly maxPendingBytes: number;
  /** A group is on the disk: how many ms its write and its sync took together. */
  readonly onSynced: (ms: number) => void;
  /** A segment was sealed: it may be removed or rewritten from now on. */
  readonly onSealed: (segment: Segment) => void;
  /** Something failed that no caller is told about. */
  readonly onError: (message: string, error: unknown) => void;
}

interface Request {
  readonly batches: readonly AppendBatch[];
  readonly bytes: number;
  readonly resolve: (outcomes: AppendOutcome[]) => void;
  /** Of a checkpoint: it has no batches whose outcomes could tell. */
  readonly reject?: (error: DomainError) => void;
}

/** A batch on its way: where it will be once the group is synced. */
interface Placed {
  readonly partition: PartitionLog;
  readonly batch: AppendBatch;
  readonly first: number;
  readonly time: number;
  readonly position: number;
}

interface OpenSegment {
  readonly segment: Segment;
  readonly file: File;
  /** Where the blocks of the segment before it end: its first block tells. */
  readonly previousEnd: number;
}

export class Appender {
  readonly #options: AppenderOptions;
  /** Undefined when the disk was full at the start: the first append that finds space makes one. */
  #open: OpenSegment | undefined;
  readonly #next: { readonly id: number; readonly previousEnd: number };
  #queue: Request[] = [];
  #pendingBytes = 0;
  #flushing: Promise<void> | undefined;
  #rollWanted = false;
  #sealing: Promise<void> = Promise.resolve();
  #unsealed: OpenSegment[] = [];
  #failure: DomainError | undefined;
  #closed = false;

  private constructor(options: AppenderOptions, next: { readonly id: number; readonly previousEnd: number }) {
    this.#options = options;
    this.#next = next;
  }

  /**
   * Makes the segment that takes the first append; durable when it resolves. On a full disk it is made later: what is
   * there can be read, and given up, meanwhile.
   */
  static async open(options: AppenderOptions, id: number, previousEnd: number): Promise<Appender> {
    const appender = new Appender(options, { id, previousEnd });
    try {
      await appender.#writeGroup([]);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      options.onError('the disk is full: the record log is open for reading', error);
    }
    return appender;
  }

  get failure(): DomainError | undefined {
    return this.#closed ? new DomainError('ShuttingDown') : this.#failure;
  }

  /** The segment that is written to, if there is one. */
  get segment(): Segment | undefined {
    return this.#open?.segment;
  }

  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    const bytes = batches.reduce((sum, { frames }) => sum + BLOCK_HEADER_BYTES + frames.length, 0);
    const refusal =
      this.failure ??
      (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#options.maxPendingBytes
        ? new DomainError('TooManyRequests')
        : undefined);
    if (refusal !== undefined) return Promise.resolve(batches.map(() => ({ error: refusal })));
    return new Promise((resolve) => {
      this.#pendingBytes += bytes;
      this.#queue.push({ batches, bytes, resolve });
      this.#wake();
    });
  }

  /** Makes the numbers and trims of all partitions durable, independently of any other segment. */
  checkpoint(): Promise<void> {
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ batches: [], bytes: 0, resolve: () => resolve(), reject });
      this.#wake();
    });
  }

  /** Lets the next append go to a new segment, so that the present one can be given up. */
  roll(): void {
    if (this.failure !== undefined) return;
    this.#rollWanted = true;
    this.#wake();
  }

  /** Answers what is queued, seals the open segment and closes its file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#flushing !== undefined) await this.#flushing;
    if (this.#open === undefined) return;
    const { segment, file } = this.#open;
    // After a failure the files stay as they are: the next start finds out what is true. An empty segment is dropped there.
    const seal = this.#failure === undefined && segment.dataEnd > FILE_HEADER_BYTES;
    if (seal) this.#unsealed.push(this.#open);
    else await file.close();
    if (seal) this.#seal();
    await this.#sealing;
    for (const { file } of this.#unsealed) await file.close();
  }

  #wake(): void {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
      // A request may have come between the last look at the queue and now.
      if (this.#queue.length > 0 || this.#rollWanted) this.#wake();
    });
  }

  async #flush(): Promise<void> {
    // Whatever has arrived on other connections by now shares the first sync: their bytes are read within this turn.
    await setImmediate();
    while (this.#queue.length > 0 || this.#rollWanted) {
      const group = this.#takeGroup();
      let outcomes: AppendOutcome[][];
      let refusal: DomainError | undefined;
      try {
        outcomes = await this.#writeGroup(group);
      } catch (error) {
        const refused = this.#refusalFor(error);
        refusal = refused;
        this.#rollWanted = false;
        outcomes = group.map(({ batches }) => batches.map(() => ({ error: refused })));
      }
      group.forEach(({ bytes, resolve, reject }, index) => {
        this.#pendingBytes -= bytes;
        if (refusal !== undefined) reject?.(refusal);
        resolve(outcomes[index]!);
      });
    }
  }

  #takeGroup(): Request[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes + this.#queue[count]!.bytes <= GROUP_BYTES)) {
      bytes += this.#queue[count]!.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #writeGroup(group: readonly Request[]): Promise<AppendOutcome[][]> {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = group.reduce((sum, request) => sum + request.bytes, 0);
    const { segment, file, previousEnd } = await this.#segmentFor(bytes);
    const start = segment.dataEnd;
    const checkpoint = start === FILE_HEADER_BYTES || group.some(({ reject }) => reject !== undefined);
    const stateBlock = checkpoint ? encodeStateBlock(this.#options.partitions, previousEnd, start) : [];
    const placed: (Placed | undefined)[][] = [];
    const buffers: Buffer[] = [...stateBlock];
    const end = this.#place(group, start + totalBytes(stateBlock), start, placed, buffers);
    const writtenAt = this.#options.clock.monotonic();
    try {
      await file.write(buffers, start);
    } catch (error) {
      // What the failed write left behind must not be taken for blocks by a later start.
      await file.truncate(start).catch((reason: unknown) => this.#fail(reason));
      throw error;
    }
    await file.sync().catch(async (error: unknown) => {
      this.#fail(error);
      await file
        .truncate(start)
        .catch((reason: unknown) => this.#options.onError('the log cannot be cut back', reason));
      throw error;
    });
    this.#options.onSynced(this.#options.clock.monotonic() - writtenAt);
    segment.dataEnd = end;
    if (checkpoint) segment.state = start;
    // Not before: once sealed, the old segment may be removed, and until now it alone told the numbers.
    if (checkpoint && this.#unsealed.length > 0) this.#seal();
    return placed.map((batches) => batches.map((batch) => this.#publish(segment, batch)));
  }

  /** Gives numbers, times and places to every batch of a group; returns where the group ends. */
  #place(
    group: readonly Request[],
    begin: number,
    syncedTo: number,
    placed: (Placed | undefined)[][],
    buffers: Buffer[],
  ): number {
    const now = this.#options.clock.now();
    const headers = Buffer.allocUnsafe(
      group.reduce((sum, { batches }) => sum + batches.length, 0) * BLOCK_HEADER_BYTES,
    );
    const given = new Map<PartitionLog, number>();
    let header = 0;
    let position = begin;
    for (const { batches } of group) {
      const row: (Placed | undefined)[] = [];
      for (const batch of batches) {
        const partition = this.#options.partitions.get(batch.ref);
        if (partition === undefined) {
          row.push(undefined);
          continue;
        }
        const first = given.get(partition) ?? partition.next;
        const time = Math.max(now, partition.time);
        given.set(partition, first + batch.count);
        const { count, frames } = batch;
        encodeBlockHeader(
          headers,
          header,
          { kind: KIND_RECORDS, ...partition.ref, count, first, time, syncedTo },
          frames,
        );
        buffers.push(headers.subarray(header, header + BLOCK_HEADER_BYTES), frames);
        row.push({ partition, batch, first, time, position });
        header += BLOCK_HEADER_BYTES;
        position += BLOCK_HEADER_BYTES + frames.length;
      }
      placed.push(row);
    }
    return position;
  }

  /** Makes a synced batch readable. */
  #publish(segment: Segment, placed: Placed | undefined): AppendOutcome {
    // The stream may have been deleted before or while the group was written.
    if (placed === undefined || this.#options.partitions.get(placed.batch.ref) !== placed.partition) {
      return { error: new DomainError('StreamNotFound') };
    }
    const { partition, batch, first, time, position } = placed;
    const next = first + batch.count;
    const bodyLength = batch.frames.length;
    let extent = partition.extents.at(-1);
    if (extent?.segment !== segment) {
      const list = new BlockList(first, time);
      extent = new Extent({ ref: partition.ref, segment, first, next, minTime: time, maxTime: time, bytes: 0, list });
      partition.extents.push(extent);
      segment.extents.add(extent);
    }
    extent.list!.append({ position, bodyLength, first, count: batch.count, time });
    extent.next = next;
    extent.maxTime = time;
    extent.bytes += bodyLength;
    segment.bytes += bodyLength;
    segment.liveBytes += bodyLength;
    partition.next = next;
    partition.time = time;
    return { firstSequence: first, time };
  }

  /** The open segment, or a new one when there is none or it is full, old or to be given up. */
  async #segmentFor(bytes: number): Promise<OpenSegment> {
    const old = this.#open;
    if (old !== undefined && !this.#mustRoll(old.segment, bytes)) return old;
    const id = old === undefined ? this.#next.id : old.segment.id + 1;
    const fresh = await createSegment(this.#options, id, old?.segment.dataEnd ?? this.#next.previousEnd);
    // It is sealed once the new one holds its first block.
    if (old !== undefined) this.#unsealed.push(old);
    this.#open = fresh;
    this.#rollWanted = false;
    return fresh;
  }

  #mustRoll(segment: Segment, bytes: number): boolean {
    if (this.#rollWanted) return true;
    if (segment.bytes === 0) return false;
    const age = this.#options.clock.now() - segment.createdAt;
    return segment.dataEnd + bytes > this.#options.segmentBytes || age > SEGMENT_MAX_AGE_MS;
  }

  /** Seals in the background what is not sealed yet; what fails is tried again at the next roll. */
  #seal(): void {
    this.#sealing = this.#sealing.then(async () => {
      for (const open of [...this.#unsealed]) {
        try {
          await writeIndex(open.segment, open.file);
        } catch (error) {
          this.#options.onError(`segment ${open.segment.path} cannot be sealed yet`, error);
          continue;
        }
        this.#unsealed.splice(this.#unsealed.indexOf(open), 1);
        await open.file.close();
        this.#options.onSealed(open.segment);
      }
    });
  }

  #refusalFor(error: unknown): DomainError {
    if (error instanceof DomainError) return error;
    if (this.#failure === undefined && isNoSpace(error)) {
      return new DomainError('DiskFull', [], error);
    }
    return this.#fail(error);
  }

  #fail(error: unknown): DomainError {
    if (this.#failure === undefined) {
      this.#failure = new DomainError('LogReadOnly', [], error);
      this.#options.onError('the record log is read-only until the server is restarted', error);
    }
    return this.#failure;
  }
}

async function createSegment(options: AppenderOptions, id: number, previousEnd: number): Promise<OpenSegment> {
  const { directory, fileSystem, openFiles, clock } = options;
  const path = join(directory, segmentName(id));
  const createdAt = clock.now();
  const file = await createOrReplace(fileSystem, path);
  await file.write([encodeFileHeader({ segmentId: id, createdAt })], 0);
  await file.sync();
  await fileSystem.syncDirectory(directory);
  const segment = new Segment({ id, path, createdAt, dataEnd: FILE_HEADER_BYTES, fileSystem, openFiles });
  return { segment, file, previousEnd };
}

/** An earlier attempt that ran out of space may have left an empty file of this name. */
async function createOrReplace(fileSystem: FileSystem, path: string): Promise<File> {
  try {
    return await fileSystem.open(path, 'create');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await fileSystem.remove(path);
    return fileSystem.open(path, 'create');
  }
}

function encodeStateBlock(partitions: PartitionMap, previousEnd: number, syncedTo: number): Buffer[] {
  const entries = [...partitions].map(({ ref, next, time, first }) => ({ ...ref, next, time, trimmed: first }));
  const body = encodeState(entries);
  const header = Buffer.alloc(BLOCK_HEADER_BYTES);
  const count = entries.length;
  encodeBlockHeader(
    header,
    0,
    { kind: KIND_STATE, stream: 0, partition: 0, count, first: previousEnd, time: 0, syncedTo },
    body,
  );
  return [header, body];
}

function totalBytes(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}
