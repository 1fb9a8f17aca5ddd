/** Writing and reading the index at the end of a sealed segment (format.ts, `index`). */
import { crc32 } from 'node:zlib';
import type { File } from '../../platform/file-system.ts';
import { BlockList } from './block-list.ts';
import { BLOCK_ENTRY_BYTES, EXTENT_BYTES, TRAILER_BYTES } from './format.ts';
import { decodeExtent, decodeTrailer, encodeExtent, encodeTrailer } from './format.ts';
import type { ExtentEntry } from './format.ts';
import type { Extent, Segment } from './segment.ts';

/**
 * Writes the index of a segment behind its blocks and syncs it, then lets go of the resident block lists. Extents
 * without a resident list must not be there. Throws what the disk throws; the segment then stays as it was.
 */
export async function writeIndex(segment: Segment, file: File): Promise<void> {
  const extents = [...segment.extents].filter((extent) => extent.list !== undefined);
  const table = Buffer.alloc(extents.length * EXTENT_BYTES);
  const lists: Buffer[] = [];
  const placed: { extent: Extent; listOffset: number; blocks: number; listCrc: number }[] = [];
  let offset = segment.dataEnd;
  extents.forEach((extent, index) => {
    const encoded = extent.list!.encoded;
    const place = { extent, listOffset: offset, blocks: extent.list!.length, listCrc: crc32(encoded) };
    encodeExtent(table, index * EXTENT_BYTES, {
      ...place,
      stream: extent.ref.stream,
      partition: extent.ref.partition,
      first: extent.first,
      next: extent.next,
      minTime: extent.minTime,
      maxTime: extent.maxTime,
      bytes: extent.bytes,
    });
    lists.push(encoded);
    placed.push(place);
    offset += encoded.length;
  });
  const trailer = encodeTrailer({
    segmentId: segment.id,
    dataEnd: segment.dataEnd,
    tableOffset: offset,
    extents: extents.length,
    tableCrc: crc32(table),
    state: segment.state,
  });
  await file.write([...lists, table, trailer], segment.dataEnd);
  await file.sync();
  for (const { extent, listOffset, blocks, listCrc } of placed) {
    Object.assign(extent, { listOffset, blocks, listCrc, list: undefined });
  }
  segment.sealed = true;
}

export interface SegmentIndex {
  readonly segmentId: number;
  readonly dataEnd: number;
  readonly state: number;
  readonly extents: readonly ExtentEntry[];
}

/** Reads the extent table of a sealed segment; undefined when the segment is open or its index is damaged. */
export async function readIndex(file: File, size: number): Promise<SegmentIndex | undefined> {
  if (size < TRAILER_BYTES) return undefined;
  const trailer = decodeTrailer(await readExactly(file, size - TRAILER_BYTES, TRAILER_BYTES));
  if (trailer === undefined) return undefined;
  const length = trailer.extents * EXTENT_BYTES;
  if (trailer.tableOffset + length + TRAILER_BYTES !== size) return undefined;
  const table = await readExactly(file, trailer.tableOffset, length);
  if (crc32(table) !== trailer.tableCrc) return undefined;
  const extents = Array.from({ length: trailer.extents }, (_, index) => decodeExtent(table, index * EXTENT_BYTES));
  const { segmentId, dataEnd, state } = trailer;
  return { segmentId, dataEnd, state, extents };
}

/** Reads the block list of an extent of a sealed segment; undefined when it is damaged. */
export async function readBlockList(extent: Extent): Promise<BlockList | undefined> {
  const bytes = await extent.segment.withFile((file) =>
    readExactly(file, extent.listOffset, extent.blocks * BLOCK_ENTRY_BYTES),
  );
  return crc32(bytes) === extent.listCrc ? new BlockList(extent.first, extent.minTime, bytes) : undefined;
}

/** Reads `length` bytes; what lies beyond the end of the file reads as zeros, which no checksum accepts. */
export async function readExactly(
  file: File,
  position: number,
  length: number,
  allocate: (size: number) => Buffer = (size) => Buffer.allocUnsafeSlow(size),
): Promise<Buffer> {
  const bytes = allocate(length).subarray(0, length);
  const read = await file.read(bytes, 0, length, position);
  return read < length ? bytes.fill(0, read) : bytes;
}
