/**
 * Records of one partition as bytes: the form in which they are appended, stored and read, so that the hot path never
 * builds an object per record. All numbers are little-endian.
 *
 *   batch  = frame*
 *   frame  = flags:u8 dataLength:u32 [keyLength:u16 if KEY] [timestamp:u64 if TIMESTAMP] key data
 *   flags  = KEY 0x01 | TIMESTAMP 0x02; other bits are 0
 *
 * `key` is the partition key in UTF-8, absent when the put named a partition. `timestamp` is the producer's own, in
 * milliseconds since 1970, absent unless the producer gave one. Sequence numbers are not stored per record: a batch is
 * consecutive, so its container holds the first.
 */

export const FLAG_KEY = 0x01;
export const FLAG_TIMESTAMP = 0x02;
const FIXED_BYTES = 5;

/** Bytes of a frame. `keyBytes` is undefined for a record without a key. */
export function frameBytes(dataBytes: number, keyBytes: number | undefined, hasTimestamp: boolean): number {
  return FIXED_BYTES + (keyBytes === undefined ? 0 : 2 + keyBytes) + (hasTimestamp ? 8 : 0) + dataBytes;
}

/**
 * Writes what stands before a frame's key; returns where the key begins, or the data when there is none. `keyBytes` and
 * `timestamp` are -1 for none.
 */
export function writeFrameStart(
  target: Buffer,
  offset: number,
  dataBytes: number,
  keyBytes: number,
  timestamp: number,
): number {
  let at = offset;
  target[at] = (keyBytes < 0 ? 0 : FLAG_KEY) | (timestamp < 0 ? 0 : FLAG_TIMESTAMP);
  at = target.writeUInt32LE(dataBytes, at + 1);
  if (keyBytes >= 0) at = target.writeUInt16LE(keyBytes, at);
  if (timestamp >= 0) at = writeUint64(target, timestamp, at);
  return at;
}

/**
 * Walks the frames of a batch without allocating: after `next()` returns true, the fields describe the current frame
 * as offsets into `bytes`. Throws RangeError on bytes that are not whole frames (a checksum above makes that a bug).
 */
export class FrameReader {
  readonly bytes: Buffer;
  #next: number;
  readonly #end: number;
  /** Offset of the current frame. */
  frame = 0;
  /** Offset and length of the key; length -1 when the record has none. */
  keyStart = 0;
  keyLength = -1;
  /** The producer's time in ms, or -1. */
  timestamp = -1;
  dataStart = 0;
  dataLength = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#next = start;
    this.#end = end;
  }

  next(): boolean {
    if (this.#next >= this.#end) return false;
    this.frame = this.#next;
    const flags = this.bytes[this.frame]!;
    this.dataLength = this.bytes.readUInt32LE(this.frame + 1);
    let at = this.frame + FIXED_BYTES;
    this.keyLength = -1;
    if ((flags & FLAG_KEY) !== 0) {
      this.keyLength = this.bytes.readUInt16LE(at);
      at += 2;
    }
    this.timestamp = -1;
    if ((flags & FLAG_TIMESTAMP) !== 0) {
      this.timestamp = readUint64(this.bytes, at);
      at += 8;
    }
    this.keyStart = at;
    if (this.keyLength > 0) at += this.keyLength;
    this.dataStart = at;
    this.#next = at + this.dataLength;
    if (this.#next > this.#end) throw new RangeError(`frame at ${this.frame} runs past the end of its batch`);
    return true;
  }

  /** Offset just past the current frame: where the next one starts. */
  get end(): number {
    return this.#next;
  }
}

/** Consecutive records of one partition that arrived at the same time. */
export interface RecordBlock {
  readonly firstSequence: number;
  readonly count: number;
  /** Arrival time in ms. */
  readonly time: number;
  /** Exactly `count` frames. */
  readonly frames: Buffer;
}

/** Writes a whole number in [0, 2^53) as u64; returns the offset after it. */
export function writeUint64(target: Buffer, value: number, offset: number): number {
  target.writeUInt32LE(value % 0x1_0000_0000, offset);
  return target.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

/** Reads a u64 below 2^53. */
export function readUint64(source: Buffer, offset: number): number {
  return source.readUInt32LE(offset + 4) * 0x1_0000_0000 + source.readUInt32LE(offset);
}
