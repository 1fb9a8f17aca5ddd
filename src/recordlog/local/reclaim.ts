/**
 * Gives space back. A sealed segment that nothing wants any more is removed; one that is mostly unwanted (deleted streams,
 * streams with shorter retention than their neighbours) is rewritten with what is left, under the same name, by a rename.
 */
import { isDomainError } from '../../model/errors.ts';
import type { File, FileSystem } from '../../platform/file-system.ts';
import { dirname } from 'node:path';
import { BlockList, type BlockEntry } from './block-list.ts';
import { BLOCK_HEADER_BYTES, encodeFileHeader, FILE_HEADER_BYTES } from './format.ts';
import type { PartitionMap } from './partition-log.ts';
import { readBlockList, readExactly, writeIndex } from './segment-index.ts';
import { Extent, Segment, type OpenFiles } from './segment.ts';

/** Rewriting pays when less than this share of a segment is wanted: each rewrite frees more than it writes. */
const REWRITE_BELOW = 0.5;

export interface ReclaimOptions {
  readonly fileSystem: FileSystem;
  readonly openFiles: OpenFiles;
  readonly partitions: PartitionMap;
  /** Makes the present numbers and trims durable; rejects when that fails. */
  readonly checkpoint: () => Promise<void>;
  readonly onError: (message: string, error: unknown) => void;
}

export class Reclaimer {
  readonly #options: ReclaimOptions;
  readonly #segments: Set<Segment>;
  #running: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<Segment>();
  #closed = false;

  /** `segments`: the sealed ones; kept up to date here. */
  constructor(options: ReclaimOptions, segments: Iterable<Segment>) {
    this.#options = options;
    this.#segments = new Set(segments);
    for (const segment of this.#segments) this.consider(segment);
  }

  /** A segment was sealed. */
  add(segment: Segment): void {
    for (const extent of segment.extents) if (extent.dropped) segment.extents.delete(extent);
    this.#segments.add(segment);
    this.consider(segment);
  }

  /** Extents that nobody needs any more. */
  drop(extents: Iterable<Extent>): void {
    for (const extent of extents) {
      const { segment } = extent;
      segment.liveBytes -= extent.bytes;
      // An index without it would make a hole in the numbers that looks like damage.
      if (segment.sealed) segment.extents.delete(extent);
      else extent.dropped = true;
      this.consider(segment);
    }
  }

  /** Removes or rewrites a segment in the background if that is due. */
  consider(segment: Segment): void {
    if (!this.#segments.has(segment) || this.#waiting.has(segment) || this.#closed || !isDue(segment)) return;
    this.#waiting.add(segment);
    this.#running = this.#running.then(async () => {
      this.#waiting.delete(segment);
      if (this.#closed || !this.#segments.has(segment) || !isDue(segment)) return;
      try {
        // What is given up while the checkpoint is written is not in it, so it is still kept here.
        const wanted = this.#wanted(segment);
        await this.#checkpoint(segment, wanted.size === 0);
        if (wanted.size === 0) await this.#remove(segment);
        else await this.#rewrite(segment, wanted);
      } catch (error) {
        this.#options.onError(`the space of ${segment.path} cannot be reclaimed now`, error);
      }
    });
  }

  /** Waits for what is running and starts nothing more. */
  async stop(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  /** Closes the files that reads have left open. */
  async closeFiles(): Promise<void> {
    await Promise.all([...this.#segments].map((segment) => segment.closeFile()));
  }

  /**
   * A full disk must be able to get space back, so there a segment goes without a checkpoint if a newer one tells the
   * numbers. After a crash the records that it held may then be called damaged until they are given up again.
   */
  async #checkpoint(segment: Segment, removal: boolean): Promise<void> {
    try {
      await this.#options.checkpoint();
    } catch (error) {
      const newer = [...this.#segments].some(({ id }) => id > segment.id);
      if (!(removal && newer && isDomainError(error, 'DiskFull'))) throw error;
    }
  }

  /** The extents that are wanted now, each with the number of its first wanted record. */
  #wanted(segment: Segment): Map<Extent, number> {
    const { partitions } = this.#options;
    return new Map([...segment.extents].map((extent) => [extent, partitions.get(extent.ref)?.first ?? extent.next]));
  }

  async #remove(segment: Segment): Promise<void> {
    this.#segments.delete(segment);
    await segment.remove();
    await this.#options.fileSystem.syncDirectory(dirname(segment.path));
  }

  async #rewrite(old: Segment, wanted: ReadonlyMap<Extent, number>): Promise<void> {
    const { fileSystem, openFiles } = this.#options;
    await old.withFile(async (source) => {
      const temporary = `${old.path}.tmp`;
      const target = await fileSystem.open(temporary, 'create');
      const { id, path, createdAt } = old;
      const fresh = new Segment({ id, path, createdAt, dataEnd: FILE_HEADER_BYTES, fileSystem, openFiles });
      const pairs = new Map<Extent, Extent>();
      try {
        await target.write([encodeFileHeader({ segmentId: id, createdAt })], 0);
        await copyState(source, old, target, fresh);
        for (const [extent, wantedFrom] of wanted) {
          const list = extent.list ?? (await readBlockList(extent));
          if (list === undefined) throw new Error(`the block list at byte ${extent.listOffset} is damaged`);
          pairs.set(extent, await copyExtent(source, target, fresh, extent, list, wantedFrom));
        }
        await writeIndex(fresh, target);
      } finally {
        await target.close();
      }
      await fileSystem.rename(temporary, path);
      await fileSystem.syncDirectory(dirname(path));
      this.#swap(old, fresh, pairs);
    });
  }

  #swap(old: Segment, fresh: Segment, pairs: ReadonlyMap<Extent, Extent>): void {
    this.#segments.delete(old);
    this.#segments.add(fresh);
    for (const [extent, copy] of pairs) {
      const wanted = old.extents.has(extent) && this.#options.partitions.get(extent.ref)?.replace(extent, copy);
      if (wanted !== true) fresh.extents.delete(copy);
      else fresh.liveBytes += copy.bytes;
    }
    old.retire();
    this.consider(fresh);
  }
}

function isDue(segment: Segment): boolean {
  return segment.extents.size === 0 || segment.liveBytes < segment.bytes * REWRITE_BELOW;
}

/** The newest block that tells the numbers becomes the first. */
async function copyState(source: File, old: Segment, target: File, fresh: Segment): Promise<void> {
  const head = await readExactly(source, old.state, BLOCK_HEADER_BYTES);
  const block = await readExactly(source, old.state, BLOCK_HEADER_BYTES + head.readUInt32LE(12));
  await target.write([block], FILE_HEADER_BYTES);
  fresh.dataEnd += block.length;
}

/** Copies the blocks that hold records from `wantedFrom` on, bytes as they are: damage stays detectable. */
async function copyExtent(
  source: File,
  target: File,
  fresh: Segment,
  extent: Extent,
  list: BlockList,
  wantedFrom: number,
): Promise<Extent> {
  const wanted: BlockEntry[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const entry = list.entry(index);
    if (entry.first + entry.count > wantedFrom || index === list.length - 1) wanted.push(entry);
  }
  const { first, time } = wanted[0]!;
  const blocks = new BlockList(first, time);
  let bytes = 0;
  for (const entry of wanted) {
    const block = await readExactly(source, entry.position, BLOCK_HEADER_BYTES + entry.bodyLength);
    await target.write([block], fresh.dataEnd);
    blocks.append({ ...entry, position: fresh.dataEnd });
    fresh.dataEnd += block.length;
    bytes += entry.bodyLength;
  }
  const { ref, next, maxTime } = extent;
  const copy = new Extent({ ref, segment: fresh, first, next, minTime: time, maxTime, bytes, list: blocks });
  fresh.extents.add(copy);
  fresh.bytes += bytes;
  return copy;
}
