/**
 * A segment file as the rest of the log sees it, and the extents that lie in it. An extent is one partition's share of
 * one segment: the only thing that is resident per segment and partition. While the segment is open its block lists are
 * resident too; once sealed they are read back from the file's index when needed.
 */
import type { PartitionRef } from '../../model/stream.ts';
import type { File, FileSystem } from '../../platform/file-system.ts';
import type { BlockList } from './block-list.ts';
import { FILE_HEADER_BYTES } from './format.ts';

const NAME = /^(\d{20})\.log$/;

export function segmentName(id: number): string {
  return `${String(id).padStart(20, '0')}.log`;
}

/** The id in a segment's file name, or undefined for any other file. */
export function parseSegmentName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Keeps at most `capacity` idle files open; a file in use is never closed under its reader. */
export class OpenFiles {
  readonly #capacity: number;
  readonly #idle = new Set<Segment>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Called by a segment whose last reader has left. */
  async release(segment: Segment): Promise<void> {
    this.#idle.add(segment);
    if (this.#idle.size <= this.#capacity) return;
    const [oldest] = this.#idle;
    this.#idle.delete(oldest!);
    await oldest!.closeFile();
  }

  acquire(segment: Segment): void {
    this.#idle.delete(segment);
  }
}

export class Segment {
  readonly id: number;
  readonly path: string;
  readonly createdAt: number;
  /** Where the blocks end. Grows while the segment is open. */
  dataEnd: number;
  /** Where its newest STATE block lies. */
  state: number;
  /** Bytes of block bodies written, wanted or not. */
  bytes = 0;
  /** Bodies that some partition still wants. */
  liveBytes = 0;
  /** Those that somebody wants, and until the segment is sealed also those that nobody wants any more. */
  readonly extents = new Set<Extent>();
  sealed = false;
  readonly #fileSystem: FileSystem;
  readonly #openFiles: OpenFiles;
  #file: Promise<File> | undefined;
  #readers = 0;
  #removed = false;

  constructor(options: {
    id: number;
    path: string;
    createdAt: number;
    dataEnd: number;
    state?: number;
    fileSystem: FileSystem;
    openFiles: OpenFiles;
  }) {
    this.id = options.id;
    this.path = options.path;
    this.createdAt = options.createdAt;
    this.dataEnd = options.dataEnd;
    this.state = options.state ?? FILE_HEADER_BYTES;
    this.#fileSystem = options.fileSystem;
    this.#openFiles = options.openFiles;
  }

  /** Runs `read` with the open file. Throws ENOENT when the segment was removed before its file was opened. */
  async withFile<T>(read: (file: File) => Promise<T>): Promise<T> {
    this.#readers += 1;
    this.#openFiles.acquire(this);
    try {
      this.#file ??= this.#fileSystem.open(this.path, 'read');
      return await read(await this.#file);
    } catch (error) {
      if (this.#file !== undefined && (await isRejected(this.#file))) this.#file = undefined;
      throw error;
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) await (this.#removed ? this.closeFile() : this.#openFiles.release(this));
    }
  }

  /** Closes the file unless somebody reads; it is opened again when needed. */
  async closeFile(): Promise<void> {
    if (this.#readers > 0 || this.#file === undefined) return;
    const file = await this.#file;
    this.#file = undefined;
    await file.close();
  }

  /** Removes the file from the disk; readers that have it open finish in peace. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#fileSystem.remove(this.path);
    this.#openFiles.acquire(this);
    await this.closeFile();
  }

  /** The file was replaced by another under the same name: this object lives on for those who read it. */
  retire(): void {
    this.#removed = true;
  }
}

function isRejected(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  );
}

export class Extent {
  readonly ref: PartitionRef;
  readonly segment: Segment;
  /** [first, next) of the records. Lost blocks may leave holes inside. */
  readonly first: number;
  next: number;
  readonly minTime: number;
  maxTime: number;
  bytes: number;
  /** Resident while the segment is open or cannot be sealed. */
  list: BlockList | undefined;
  listOffset = 0;
  blocks = 0;
  listCrc = 0;
  /** Nobody wants it any more, but its segment is still open and its index will name it. */
  dropped = false;

  constructor(options: {
    ref: PartitionRef;
    segment: Segment;
    first: number;
    next: number;
    minTime: number;
    maxTime: number;
    bytes: number;
    list?: BlockList;
  }) {
    this.ref = options.ref;
    this.segment = options.segment;
    this.first = options.first;
    this.next = options.next;
    this.minTime = options.minTime;
    this.maxTime = options.maxTime;
    this.bytes = options.bytes;
    this.list = options.list;
  }
}
