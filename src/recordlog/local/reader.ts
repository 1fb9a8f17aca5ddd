/**
 * The reading end of the log: finds blocks through extents and block lists, reads neighbours in one go, checks every
 * block against its checksum and its place. Reads of one partition may run beside appends, trims and rewrites.
 */
import { crc32 } from 'node:zlib';
import { DomainError } from '../../model/errors.ts';
import { FrameReader } from '../../model/record-batch.ts';
import type { File } from '../../platform/file-system.ts';
import { DamagedRecords, type Extent as Measured, type ReadOptions, type RecordBlock } from '../record-log.ts';
import { BlockList, type BlockEntry } from './block-list.ts';
import { BLOCK_HEADER_BYTES, decodeBlockHeader, KIND_RECORDS } from './format.ts';
import type { PartitionLog } from './partition-log.ts';
import { scanBlocks } from './scan.ts';
import { readBlockList, readExactly } from './segment-index.ts';
import type { Extent } from './segment.ts';

/** Blocks that are nearer than this are fetched with one read: what lies between costs less than another call. */
const GAP_BYTES = 32 * 1024;
/** A read of one extent stops here even when the caller would take more. */
const SPAN_BYTES = 4 * 1024 * 1024;

export class Reader {
  readonly #lists: ListCache;
  readonly #report: (message: string) => void;

  constructor(options: { listCacheBytes: number; report: (message: string) => void }) {
    this.#lists = new ListCache(options.listCacheBytes);
    this.#report = options.report;
  }

  /** See RecordLog.read. */
  async read(
    partition: PartitionLog,
    from: number,
    maxBytes: number,
    { maxRecords = Infinity, allocate }: ReadOptions = {},
  ): Promise<RecordBlock[]> {
    const blocks: RecordBlock[] = [];
    let bytes = 0;
    let at = from;
    while (at < partition.next && (blocks.length === 0 || (bytes < maxBytes && at - from < maxRecords))) {
      let piece: RecordBlock[];
      try {
        const limits = { bytes: Math.min(maxBytes - bytes, SPAN_BYTES), records: maxRecords - (at - from) };
        piece = await this.#readPiece(partition, at, limits, allocate);
      } catch (error) {
        // What was read is whole; the caller meets the trouble when it asks for what comes next.
        if (blocks.length > 0) break;
        throw error;
      }
      for (const block of piece) {
        blocks.push(block);
        bytes += block.frames.length;
        at = block.firstSequence + block.count;
      }
    }
    return blocks;
  }

  /** See RecordLog.seek. */
  async seek(partition: PartitionLog, time: number): Promise<number> {
    const extent = partition.extents[partition.extentIndexOfTime(time)];
    if (extent === undefined) return partition.next;
    if (extent.minTime >= time) return Math.max(extent.first, partition.first);
    const list = await extent.segment.withFile(() => this.#list(extent));
    const index = list.indexOfTime(time);
    return Math.max(index < list.length ? list.entry(index).first : extent.next, partition.first);
  }

  /** See RecordLog.arrivalTime. */
  async arrivalTime(partition: PartitionLog, sequence: number): Promise<number | undefined> {
    const extent = partition.extents[partition.extentIndex(sequence)];
    if (extent === undefined || sequence >= extent.next || sequence < partition.first) return undefined;
    const list = await extent.segment.withFile(() => this.#list(extent));
    const index = list.indexOf(sequence);
    return index < 0 ? undefined : list.entry(index).time;
  }

  /** See RecordLog.measure. */
  async measure(partition: PartitionLog, from: number, maxBytes: number): Promise<Measured> {
    let bytes = 0;
    let to = Math.max(from, partition.first);
    for (const extent of partition.extents.slice(Math.max(0, partition.extentIndex(to)))) {
      if (bytes >= maxBytes) break;
      if (extent.next <= to) continue;
      if (to <= extent.first && bytes + extent.bytes <= maxBytes) {
        bytes += extent.bytes;
        to = extent.next;
        continue;
      }
      const list = await extent.segment.withFile(() => this.#list(extent));
      for (let index = Math.max(0, list.indexOf(to)); index < list.length && bytes < maxBytes; index += 1) {
        const { first, count, bodyLength } = list.entry(index);
        if (first + count <= to) continue;
        const skipped = Math.max(0, to - first);
        bytes += Math.round((bodyLength * (count - skipped)) / count);
        to = first + count;
      }
    }
    return { to: bytes >= maxBytes ? to : Math.max(to, partition.next), bytes };
  }

  /** Blocks of one extent from `at` on; at least one. */
  async #readPiece(
    partition: PartitionLog,
    at: number,
    limits: { readonly bytes: number; readonly records: number },
    allocate: ReadOptions['allocate'],
  ): Promise<RecordBlock[]> {
    const { ref } = partition;
    if (at < partition.first) throw outOfRange(partition, at);
    const index = partition.extentIndex(at);
    const extent = partition.extents[index];
    if (extent === undefined || at >= extent.next) {
      throw new DamagedRecords(ref, at, partition.extents[index + 1]?.first ?? partition.next);
    }
    try {
      return await extent.segment.withFile(async (file) => {
        const entries = consecutiveEntries(await this.#list(extent), extent, at, limits);
        const spans = await Promise.all(groupByDistance(entries).map((group) => readSpan(file, group, allocate)));
        return this.#checkBlocks(extent, at, spans.flat());
      });
    } catch (error) {
      // The segment went while the read was on its way to it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw outOfRange(partition, at);
      throw error;
    }
  }

  #checkBlocks(extent: Extent, at: number, found: readonly { entry: BlockEntry; bytes: Buffer }[]): RecordBlock[] {
    const blocks: RecordBlock[] = [];
    for (const { entry, bytes } of found) {
      const frames = bytes.subarray(BLOCK_HEADER_BYTES);
      const header = decodeBlockHeader(bytes, 0);
      const intact =
        header !== undefined &&
        header.kind === KIND_RECORDS &&
        header.stream === extent.ref.stream &&
        header.partition === extent.ref.partition &&
        header.first === entry.first &&
        header.count === entry.count &&
        crc32(frames) === header.bodyCrc;
      if (!intact) {
        const damaged = new DamagedRecords(extent.ref, Math.max(at, entry.first), entry.first + entry.count);
        this.#report(`${damaged.message} (${extent.segment.path} at byte ${entry.position})`);
        if (blocks.length === 0) throw damaged;
        break;
      }
      blocks.push(startAt(at, { firstSequence: entry.first, count: entry.count, time: entry.time, frames }));
    }
    return blocks;
  }

  /** The block list of an extent. Its segment must be in use, so that the list and the file belong together. */
  async #list(extent: Extent): Promise<BlockList> {
    const known = extent.list ?? this.#lists.get(extent);
    if (known !== undefined) return known;
    let list = await readBlockList(extent);
    if (list === undefined) {
      this.#report(
        `the block list of ${extent.segment.path} at byte ${extent.listOffset} is damaged; the blocks are scanned`,
      );
      list = await scanForList(extent);
    }
    this.#lists.set(extent, list);
    return list;
  }
}

function outOfRange(partition: PartitionLog, at: number): DomainError {
  return new DomainError('SequenceNumberOutOfRange', [at, ' should be within ', partition.first, ' ', partition.next]);
}

/** Entries from the one that holds `at` on, as long as they follow each other, up to the one that reaches a limit. */
function consecutiveEntries(
  list: BlockList,
  extent: Extent,
  at: number,
  limits: { readonly bytes: number; readonly records: number },
): BlockEntry[] {
  const entries: BlockEntry[] = [];
  let index = list.indexOf(at);
  let expected = at;
  let bytes = 0;
  while (index < list.length && (entries.length === 0 || (bytes < limits.bytes && expected - at < limits.records))) {
    const entry = index < 0 ? undefined : list.entry(index);
    const holds = entry !== undefined && entry.first <= expected && expected < entry.first + entry.count;
    if (!holds) {
      if (entries.length > 0) break;
      const behind = entry !== undefined && entry.first > expected ? index : index + 1;
      throw new DamagedRecords(extent.ref, at, behind < list.length ? list.entry(behind).first : extent.next);
    }
    entries.push(entry);
    bytes += entry.bodyLength;
    expected = entry.first + entry.count;
    index += 1;
  }
  return entries;
}

function groupByDistance(entries: readonly BlockEntry[]): BlockEntry[][] {
  const groups: BlockEntry[][] = [];
  let end = -Infinity;
  for (const entry of entries) {
    if (entry.position - end <= GAP_BYTES) groups.at(-1)!.push(entry);
    else groups.push([entry]);
    end = entry.position + BLOCK_HEADER_BYTES + entry.bodyLength;
  }
  return groups;
}

async function readSpan(
  file: File,
  group: readonly BlockEntry[],
  allocate: ReadOptions['allocate'],
): Promise<{ entry: BlockEntry; bytes: Buffer }[]> {
  const start = group[0]!.position;
  const last = group.at(-1)!;
  const span = await readExactly(file, start, last.position + BLOCK_HEADER_BYTES + last.bodyLength - start, allocate);
  return group.map((entry) => {
    const offset = entry.position - start;
    return { entry, bytes: span.subarray(offset, offset + BLOCK_HEADER_BYTES + entry.bodyLength) };
  });
}

/** The block cut so that it starts at `at`, if it starts before. */
function startAt(at: number, block: RecordBlock): RecordBlock {
  if (block.firstSequence >= at) return block;
  const skip = at - block.firstSequence;
  const reader = new FrameReader(block.frames);
  for (let index = 0; index < skip; index += 1) reader.next();
  return { ...block, firstSequence: at, count: block.count - skip, frames: block.frames.subarray(reader.end) };
}

async function scanForList(extent: Extent): Promise<BlockList> {
  const list = new BlockList(extent.first, extent.minTime);
  const { segment, ref } = extent;
  await segment.withFile((file) =>
    scanBlocks(file, segment.dataEnd, (found) => {
      if (!('header' in found)) return;
      const { header, position } = found;
      if (header.kind !== KIND_RECORDS || header.stream !== ref.stream || header.partition !== ref.partition) return;
      list.append({ ...header, position });
    }),
  );
  return list;
}

/** Recently used block lists of sealed segments, bounded by their bytes. */
class ListCache {
  readonly #capacity: number;
  readonly #lists = new Map<Extent, BlockList>();
  #bytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(extent: Extent): BlockList | undefined {
    const list = this.#lists.get(extent);
    if (list !== undefined) {
      this.#lists.delete(extent);
      this.#lists.set(extent, list);
    }
    return list;
  }

  set(extent: Extent, list: BlockList): void {
    if (this.#lists.has(extent)) return;
    this.#lists.set(extent, list);
    this.#bytes += list.encoded.length;
    for (const [oldest, { encoded }] of this.#lists) {
      if (this.#bytes <= this.#capacity || oldest === extent) break;
      this.#lists.delete(oldest);
      this.#bytes -= encoded.length;
    }
  }
}
