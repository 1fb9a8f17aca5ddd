/**
 * The bytes of a segment file; docs/STORAGE-FORMAT.md tells the same story for people. All numbers are little-endian,
 * all checksums zlib's CRC-32.
 *
 *   segment     = fileHeader block* [index]
 *   fileHeader  = "SLUICELG" version:u32 reserved:u32 segmentId:u64 createdAt:u64 reserved:u32 crc:u32       (40 bytes)
 *                 crc covers the 36 bytes before it
 *   block       = blockHeader body
 *   blockHeader = magic:u32 headerCrc:u32 bodyCrc:u32 bodyLength:u32 kind:u32 stream:u32 partition:u32 count:u32
 *                 first:u64 time:u64 syncedTo:u32 reserved:u32                                               (56 bytes)
 *                 headerCrc covers the 48 bytes after it, bodyCrc the body
 *   kind 1 RECORDS: body = `count` frames (model/record-batch.ts) numbered from `first`, arrived at `time`
 *   kind 2 STATE:   body = `count` × (stream:u32 partition:u32 next:u64 time:u64 trimmed:u64): the next number, the newest
 *                 arrival time and the lowest wanted number of every partition at this point of the log; `first` = end of
 *                 the blocks of the segment before this one. The first block of a segment, and again before space is
 *                 given back: numbers and trims must not depend on segments that are gone.
 *   `syncedTo`: bytes of this segment that were on stable storage when the block was written. A bad block below a later
 *                 block's syncedTo is damage; one that no later block vouches for is a torn tail, never acknowledged.
 *
 *   index       = blockList* extentTable trailer
 *   blockList   = (position:u32 bodyLength:u32 relativeSequence:u32 count:u32 relativeTime:u32)*            (20 bytes each)
 *   extentTable = (stream:u32 partition:u32 first:u64 next:u64 minTime:u64 maxTime:u64 bytes:u64
 *                  listOffset:u32 blocks:u32 listCrc:u32 reserved:u32)*                                     (64 bytes each)
 *   trailer     = "SLUICEIX" segmentId:u64 dataEnd:u32 tableOffset:u32 extents:u32 tableCrc:u32 state:u32 crc:u32
 *                 state = position of the newest STATE block; crc covers the 36 bytes before it             (40 bytes)
 */
import { crc32 } from 'node:zlib';
import { readUint64, writeUint64 } from '../../model/record-batch.ts';

export const VERSION = 1;
export const FILE_HEADER_BYTES = 40;
export const BLOCK_HEADER_BYTES = 56;
export const BLOCK_ENTRY_BYTES = 20;
export const EXTENT_BYTES = 64;
export const TRAILER_BYTES = 40;
const STATE_ENTRY_BYTES = 32;
/** "SLBK" */
export const BLOCK_MAGIC = 0x4b424c53;
export const KIND_RECORDS = 1;
export const KIND_STATE = 2;
const FILE_MAGIC = 'SLUICELG';
const INDEX_MAGIC = 'SLUICEIX';

export interface FileHeader {
  readonly segmentId: number;
  readonly createdAt: number;
}

export function encodeFileHeader({ segmentId, createdAt }: FileHeader): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  bytes.write(FILE_MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(VERSION, 8);
  writeUint64(bytes, segmentId, 16);
  writeUint64(bytes, createdAt, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
  return bytes;
}

/** Undefined when the bytes are not a whole header. Throws when it is one of a version that this code cannot read. */
export function decodeFileHeader(bytes: Buffer): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES || bytes.toString('latin1', 0, 8) !== FILE_MAGIC) return undefined;
  if (crc32(bytes.subarray(0, 36)) !== bytes.readUInt32LE(36)) return undefined;
  const version = bytes.readUInt32LE(8);
  if (version !== VERSION) throw new Error(`segment format ${version} is not known to this version of Sluice`);
  return { segmentId: readUint64(bytes, 16), createdAt: readUint64(bytes, 24) };
}

export interface BlockHeader {
  readonly kind: number;
  readonly stream: number;
  readonly partition: number;
  readonly count: number;
  /** Sequence number of the first record. */
  readonly first: number;
  /** Arrival time in ms. */
  readonly time: number;
  readonly syncedTo: number;
  readonly bodyLength: number;
  readonly bodyCrc: number;
}

/** Writes a header for `body` at `offset` of `target`. */
export function encodeBlockHeader(
  target: Buffer,
  offset: number,
  header: Omit<BlockHeader, 'bodyLength' | 'bodyCrc'>,
  body: Buffer,
): void {
  target.writeUInt32LE(BLOCK_MAGIC, offset);
  target.writeUInt32LE(crc32(body), offset + 8);
  target.writeUInt32LE(body.length, offset + 12);
  target.writeUInt32LE(header.kind, offset + 16);
  target.writeUInt32LE(header.stream, offset + 20);
  target.writeUInt32LE(header.partition, offset + 24);
  target.writeUInt32LE(header.count, offset + 28);
  writeUint64(target, header.first, offset + 32);
  writeUint64(target, header.time, offset + 40);
  target.writeUInt32LE(header.syncedTo, offset + 48);
  target.writeUInt32LE(0, offset + 52);
  target.writeUInt32LE(crc32(target.subarray(offset + 8, offset + BLOCK_HEADER_BYTES)), offset + 4);
}

/** Undefined when there is no whole, intact header at `offset`. */
export function decodeBlockHeader(bytes: Buffer, offset: number): BlockHeader | undefined {
  if (offset + BLOCK_HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== BLOCK_MAGIC) return undefined;
  const crc = crc32(bytes.subarray(offset + 8, offset + BLOCK_HEADER_BYTES));
  if (crc !== bytes.readUInt32LE(offset + 4)) return undefined;
  return {
    bodyCrc: bytes.readUInt32LE(offset + 8),
    bodyLength: bytes.readUInt32LE(offset + 12),
    kind: bytes.readUInt32LE(offset + 16),
    stream: bytes.readUInt32LE(offset + 20),
    partition: bytes.readUInt32LE(offset + 24),
    count: bytes.readUInt32LE(offset + 28),
    first: readUint64(bytes, offset + 32),
    time: readUint64(bytes, offset + 40),
    syncedTo: bytes.readUInt32LE(offset + 48),
  };
}

export interface StateEntry {
  readonly stream: number;
  readonly partition: number;
  readonly next: number;
  readonly time: number;
  readonly trimmed: number;
}

export function encodeState(entries: readonly StateEntry[]): Buffer {
  const bytes = Buffer.alloc(entries.length * STATE_ENTRY_BYTES);
  let at = 0;
  for (const { stream, partition, next, time, trimmed } of entries) {
    at = bytes.writeUInt32LE(stream, at);
    at = bytes.writeUInt32LE(partition, at);
    at = writeUint64(bytes, next, at);
    at = writeUint64(bytes, time, at);
    at = writeUint64(bytes, trimmed, at);
  }
  return bytes;
}

export function decodeState(body: Buffer): StateEntry[] {
  const entries: StateEntry[] = [];
  for (let at = 0; at + STATE_ENTRY_BYTES <= body.length; at += STATE_ENTRY_BYTES) {
    entries.push({
      stream: body.readUInt32LE(at),
      partition: body.readUInt32LE(at + 4),
      next: readUint64(body, at + 8),
      time: readUint64(body, at + 16),
      trimmed: readUint64(body, at + 24),
    });
  }
  return entries;
}

/** One partition's share of one segment. */
export interface ExtentEntry {
  readonly stream: number;
  readonly partition: number;
  /** [first, next) of the records. */
  readonly first: number;
  readonly next: number;
  /** Oldest and newest arrival time. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Bytes of all block bodies. */
  readonly bytes: number;
  readonly listOffset: number;
  readonly blocks: number;
  readonly listCrc: number;
}

export function encodeExtent(target: Buffer, offset: number, extent: ExtentEntry): void {
  target.writeUInt32LE(extent.stream, offset);
  target.writeUInt32LE(extent.partition, offset + 4);
  writeUint64(target, extent.first, offset + 8);
  writeUint64(target, extent.next, offset + 16);
  writeUint64(target, extent.minTime, offset + 24);
  writeUint64(target, extent.maxTime, offset + 32);
  writeUint64(target, extent.bytes, offset + 40);
  target.writeUInt32LE(extent.listOffset, offset + 48);
  target.writeUInt32LE(extent.blocks, offset + 52);
  target.writeUInt32LE(extent.listCrc, offset + 56);
  target.writeUInt32LE(0, offset + 60);
}

export function decodeExtent(bytes: Buffer, offset: number): ExtentEntry {
  return {
    stream: bytes.readUInt32LE(offset),
    partition: bytes.readUInt32LE(offset + 4),
    first: readUint64(bytes, offset + 8),
    next: readUint64(bytes, offset + 16),
    minTime: readUint64(bytes, offset + 24),
    maxTime: readUint64(bytes, offset + 32),
    bytes: readUint64(bytes, offset + 40),
    listOffset: bytes.readUInt32LE(offset + 48),
    blocks: bytes.readUInt32LE(offset + 52),
    listCrc: bytes.readUInt32LE(offset + 56),
  };
}

export interface Trailer {
  readonly segmentId: number;
  /** Where the blocks end and the index begins. */
  readonly dataEnd: number;
  readonly tableOffset: number;
  readonly extents: number;
  readonly tableCrc: number;
  /** Position of the newest STATE block. */
  readonly state: number;
}

export function encodeTrailer(trailer: Trailer): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES);
  bytes.write(INDEX_MAGIC, 0, 'latin1');
  writeUint64(bytes, trailer.segmentId, 8);
  bytes.writeUInt32LE(trailer.dataEnd, 16);
  bytes.writeUInt32LE(trailer.tableOffset, 20);
  bytes.writeUInt32LE(trailer.extents, 24);
  bytes.writeUInt32LE(trailer.tableCrc, 28);
  bytes.writeUInt32LE(trailer.state, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
  return bytes;
}

/** Undefined when the bytes are not an intact trailer: the segment is open, or its index is damaged. */
export function decodeTrailer(bytes: Buffer): Trailer | undefined {
  if (bytes.length < TRAILER_BYTES || bytes.toString('latin1', 0, 8) !== INDEX_MAGIC) return undefined;
  if (crc32(bytes.subarray(0, 36)) !== bytes.readUInt32LE(36)) return undefined;
  return {
    segmentId: readUint64(bytes, 8),
    dataEnd: bytes.readUInt32LE(16),
    tableOffset: bytes.readUInt32LE(20),
    extents: bytes.readUInt32LE(24),
    tableCrc: bytes.readUInt32LE(28),
    state: bytes.readUInt32LE(32),
  };
}
