/**
 * Brings the log back from its files. A sealed segment costs two small reads. A segment without an index (the one that was open when
 * the process ended) is scanned, its torn tail cut, and then sealed, so that the log always begins with sealed segments only.
 *
 * Torn or damaged? Every block tells up to where its segment was synced when it was written (`syncedTo`), and the first
 * block of a segment tells where the one before it ends. Bad bytes below such a mark were acknowledged: they are damage,
 * kept as a hole in the numbers and reported. Bad bytes that nothing vouches for were not: the segment is cut there.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { PartitionRef } from '../../model/stream.ts';
import type { File, FileSystem } from '../../platform/file-system.ts';
import { BlockList } from './block-list.ts';
import { BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, KIND_RECORDS, KIND_STATE } from './format.ts';
import { decodeBlockHeader, decodeFileHeader, decodeState } from './format.ts';
import type { StateEntry } from './format.ts';
import { isNoSpace } from './no-space.ts';
import type { PartitionLog, PartitionMap } from './partition-log.ts';
import { scanBlocks, type ScannedBlock } from './scan.ts';
import { readExactly, readIndex, writeIndex, type SegmentIndex } from './segment-index.ts';
import { Extent, parseSegmentName, Segment, segmentName, type OpenFiles } from './segment.ts';

/** Something that the operator should know; `serious` when acknowledged records are affected. */
export interface Finding {
  readonly serious: boolean;
  readonly segment: string;
  readonly message: string;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly openFiles: OpenFiles;
  /** Filled with extents and numbers; knows every stream that exists. */
  readonly partitions: PartitionMap;
  /** Whether a stream once existed and was deleted: its records are skipped. */
  readonly isDeleted: (stream: number) => boolean;
  readonly report: (finding: Finding) => void;
}

/** Sealed segments in ascending order of id. Throws when a segment holds records of a stream nobody knows. */
export async function recover(options: RecoveryOptions): Promise<Segment[]> {
  const { directory, fileSystem } = options;
  const names = await fileSystem.list(directory);
  for (const name of names.filter((name) => name.endsWith('.tmp'))) await fileSystem.remove(join(directory, name));
  const ids = names.map(parseSegmentName).filter((id) => id !== undefined);
  ids.sort((a, b) => a - b);

  const files = await mapInBatches(ids, 16, (id) => findSegment(options, id));
  const segments: Segment[] = [];
  for (const [index, opened] of files.entries()) {
    if (opened.index !== undefined) {
      segments.push(adoptSealed(options, opened.id, opened.index));
      continue;
    }
    const follower = files[index + 1];
    const told =
      follower && (await withFile(options, follower.path, 'read', (file) => readState(file, FILE_HEADER_BYTES)));
    const segment = await withFile(options, opened.path, 'write', (file) =>
      recoverUnsealed(options, opened, file, told?.previousEnd),
    );
    if (segment !== undefined) segments.push(segment);
  }
  await restoreNumbers(options, segments);
  return segments;
}

interface FoundSegment {
  readonly id: number;
  readonly name: string;
  readonly path: string;
  readonly index: SegmentIndex | undefined;
}

async function findSegment(options: RecoveryOptions, id: number): Promise<FoundSegment> {
  const name = segmentName(id);
  const path = join(options.directory, name);
  const index = await withFile(options, path, 'read', async (file) => readIndex(file, await file.size()));
  return { id, name, path, index };
}

async function withFile<T>(
  { fileSystem }: RecoveryOptions,
  path: string,
  mode: 'read' | 'write',
  use: (file: File) => Promise<T>,
): Promise<T> {
  const file = await fileSystem.open(path, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

function newSegment(
  { directory, fileSystem, openFiles }: RecoveryOptions,
  id: number,
  dataEnd: number,
  state: number,
): Segment {
  return new Segment({
    id,
    path: join(directory, segmentName(id)),
    createdAt: 0,
    dataEnd,
    state,
    fileSystem,
    openFiles,
  });
}

function adoptSealed(options: RecoveryOptions, id: number, index: SegmentIndex): Segment {
  const segment = newSegment(options, id, index.dataEnd, index.state);
  segment.sealed = true;
  for (const entry of index.extents) {
    segment.bytes += entry.bytes;
    const partition = findPartition(options, entry, segment.path);
    if (partition === undefined) continue;
    const ref = partition.ref;
    const extent = Object.assign(new Extent({ ...entry, ref, segment }), {
      listOffset: entry.listOffset,
      blocks: entry.blocks,
      listCrc: entry.listCrc,
    });
    attach(partition, extent);
  }
  return segment;
}

/** What the STATE block at `position` tells; undefined when it is damaged. */
async function readState(
  file: File,
  position: number,
): Promise<{ previousEnd: number; entries: StateEntry[] } | undefined> {
  const header = decodeBlockHeader(await readExactly(file, position, BLOCK_HEADER_BYTES), 0);
  if (header?.kind !== KIND_STATE || position + header.bodyLength > (await file.size())) return undefined;
  const body = await readExactly(file, position + BLOCK_HEADER_BYTES, header.bodyLength);
  if (crc32(body) !== header.bodyCrc) return undefined;
  return { previousEnd: header.first, entries: decodeState(body) };
}

/** Where the newest intact STATE block below `dataEnd` lies. */
function statePosition(blocks: readonly ScannedBlock[], dataEnd: number): number {
  const states = blocks.filter(
    ({ header, intact, position }) => header.kind === KIND_STATE && intact && position < dataEnd,
  );
  return states.at(-1)?.position ?? FILE_HEADER_BYTES;
}

async function recoverUnsealed(
  options: RecoveryOptions,
  { id, name, path }: FoundSegment,
  file: File,
  acknowledgedEnd: number | undefined,
): Promise<Segment | undefined> {
  const { report } = options;
  const size = await file.size();
  const header = decodeFileHeader(await readExactly(file, 0, FILE_HEADER_BYTES));
  const blocks: ScannedBlock[] = [];
  const bad: { from: number; to: number; block?: ScannedBlock }[] = [];
  let vouched = acknowledgedEnd ?? 0;
  await scanBlocks(file, size, (found) => {
    if (!('header' in found)) {
      bad.push(found);
      return;
    }
    vouched = Math.max(vouched, found.header.syncedTo);
    blocks.push(found);
    const to = found.position + BLOCK_HEADER_BYTES + found.header.bodyLength;
    if (!found.intact) bad.push({ from: found.position, to, block: found });
  });
  if (blocks.length === 0) {
    // Made but never written to, or beyond reading: then it is kept aside for whoever wants to look.
    if (size <= FILE_HEADER_BYTES) await options.fileSystem.remove(path);
    else {
      report({
        serious: vouched > FILE_HEADER_BYTES,
        segment: name,
        message: 'no block can be read; kept as .damaged',
      });
      await options.fileSystem.rename(path, `${path}.damaged`);
    }
    return undefined;
  }
  if (header === undefined)
    report({ serious: true, segment: name, message: 'the file header is damaged; its blocks are read' });

  const cut = bad.find(({ from }) => from >= vouched)?.from;
  const dataEnd =
    cut ??
    blocks.reduce((end, { position, header }) => Math.max(end, position + BLOCK_HEADER_BYTES + header.bodyLength), 0);
  if (cut !== undefined) {
    const what =
      acknowledgedEnd === undefined ? 'a torn write that was never acknowledged' : 'a damaged index, rebuilt';
    report({ serious: false, segment: name, message: `cut ${size - cut} bytes: ${what}` });
  }
  for (const { from, to, block } of bad) {
    if (from >= dataEnd) continue;
    const what = block === undefined ? 'of unknown records' : describe(block);
    report({ serious: true, segment: name, message: `bytes [${from}, ${to}) are damaged: ${what}` });
  }

  const segment = newSegment(options, id, dataEnd, statePosition(blocks, dataEnd));
  for (const block of blocks) {
    if (block.position >= dataEnd || block.header.kind !== KIND_RECORDS) continue;
    addBlock(options, segment, name, block);
  }
  await file.truncate(dataEnd);
  try {
    await writeIndex(segment, file);
  } catch (error) {
    if (!isNoSpace(error)) throw error;
    // Nothing more is written to it; its block lists stay in memory until a start finds room for them.
    segment.sealed = true;
    report({ serious: false, segment: name, message: 'the disk is full: its index is not written' });
  }
  return segment;
}

/** Damaged bodies stay listed: a read meets them, finds the checksum wrong, and knows which records are lost. */
function addBlock(options: RecoveryOptions, segment: Segment, name: string, block: ScannedBlock): void {
  const { header, position } = block;
  segment.bytes += header.bodyLength;
  const partition = findPartition(options, header, segment.path);
  if (partition === undefined) return;
  const next = header.first + header.count;
  let extent = partition.extents.at(-1);
  if (extent !== undefined && header.first < extent.next) {
    options.report({
      serious: true,
      segment: name,
      message: `${describe(block)} come a second time; the first ones count`,
    });
    return;
  }
  if (extent?.segment !== segment) {
    const { ref } = partition;
    const { first, time } = header;
    extent = new Extent({
      ref,
      segment,
      first,
      next,
      minTime: time,
      maxTime: time,
      bytes: 0,
      list: new BlockList(first, time),
    });
    attach(partition, extent);
  }
  extent.list!.append({ ...header, position });
  extent.next = next;
  extent.maxTime = Math.max(extent.maxTime, header.time);
  extent.bytes += header.bodyLength;
  segment.liveBytes += header.bodyLength;
}

function attach(partition: PartitionLog, extent: Extent): void {
  partition.extents.push(extent);
  extent.segment.extents.add(extent);
  extent.segment.liveBytes += extent.bytes;
}

function findPartition(options: RecoveryOptions, ref: PartitionRef, path: string): PartitionLog | undefined {
  const partition = options.partitions.get(ref);
  if (partition === undefined && !options.isDeleted(ref.stream)) {
    throw new Error(
      `${path} holds records of stream number ${ref.stream}, partition ${ref.partition}, which the catalog has never heard of: ` +
        'is the catalog the one of this data directory?',
    );
  }
  return partition;
}

/** Numbers, times and trims: those of the newest STATE block, moved on by what follows it. */
async function restoreNumbers(options: RecoveryOptions, segments: readonly Segment[]): Promise<void> {
  const trims = new Map<PartitionLog, number>();
  for (const segment of segments.toReversed()) {
    const state = await segment.withFile((file) => readState(file, segment.state));
    if (state === undefined) {
      options.report({
        serious: true,
        segment: segment.path,
        message: 'the block that tells the numbers is damaged; an older one is used',
      });
      continue;
    }
    for (const entry of state.entries) {
      const partition = options.partitions.get(entry);
      if (partition === undefined) continue;
      Object.assign(partition, { next: entry.next, time: entry.time });
      trims.set(partition, entry.trimmed);
    }
    break;
  }
  for (const partition of options.partitions) {
    const newest = partition.extents.at(-1);
    if (newest !== undefined) {
      partition.next = Math.max(partition.next, newest.next);
      partition.time = Math.max(partition.time, newest.maxTime);
    }
    for (const extent of partition.trim(trims.get(partition) ?? 0)) {
      extent.segment.extents.delete(extent);
      extent.segment.liveBytes -= extent.bytes;
    }
  }
}

function describe({ header }: ScannedBlock): string {
  const { stream, partition, first, count } = header;
  return `records [${first}, ${first + count}) of stream ${stream} partition ${partition}`;
}

async function mapInBatches<T, R>(items: readonly T[], size: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += size) {
    results.push(...(await Promise.all(items.slice(at, at + size).map(map))));
  }
  return results;
}
