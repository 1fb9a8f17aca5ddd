/**
 * Kafka record batches as blocks of frames. A fetch answers with whole batches, the last of them perhaps cut short; the
 * records below the wanted one are left out, each batch is checked against its checksum, and blocks follow each other
 * without gaps: numbers that no record has (compacted away, or taken by a marker of a transaction; Sluice makes neither)
 * are told as a hole.
 */
import { crc32c } from '@node-rs/crc32';
import { FLAG_KEY, FLAG_TIMESTAMP, writeUint64 } from '../../model/record-batch.ts';
import type { RecordBlock } from '../record-log.ts';
import { BATCH_HEADER_BYTES, CHECKED_FROM, copyBytes, TIMESTAMP_HEADER } from './encode-batch.ts';

const COMPRESSION = 0x07;
const CONTROL = 0x20;

export interface Decoded {
  readonly blocks: RecordBlock[];
  /** The number after the last record of `blocks`. */
  readonly next: number;
  /** Why there is nothing more although there are more bytes: [next, to) cannot be read. */
  readonly hole: { readonly to: number; readonly why: string } | undefined;
}

export interface DecodeLimits {
  /** Stop after the block that brings the frames to this many bytes … */
  readonly bytes: number;
  /** … or the blocks to this many records. */
  readonly records: number;
}

/** Records from `from` on. `allocate` is asked for one buffer at most, since a frame is never longer than its record. */
export function decodeBatches(
  source: Buffer,
  from: number,
  limits: DecodeLimits,
  allocate: (size: number) => Buffer,
): Decoded {
  const blocks: RecordBlock[] = [];
  let target: Buffer | undefined;
  let filled = 0;
  let next = from;
  const result = (hole?: Decoded['hole']): Decoded => ({ blocks, next, hole });
  for (let at = 0; at + BATCH_HEADER_BYTES <= source.length;) {
    if (filled >= limits.bytes || next - from >= limits.records) break;
    const end = at + 12 + source.readInt32BE(at + 8);
    if (end > source.length) break;
    const base = Number(source.readBigInt64BE(at));
    const last = base + source.readInt32BE(at + 23);
    if (last < next) {
      at = end;
      continue;
    }
    if (base > next) return result({ to: base, why: 'there are no records of these numbers' });
    const count = source.readInt32BE(at + 57);
    const why = whyUnreadable(source, at, end, last - base + 1, count);
    if (why !== undefined) return result({ to: last + 1, why });
    target ??= allocate(source.length - at);
    const start = filled;
    try {
      filled = copyFrames(source, at, end, next - base, target, start);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return result({ to: last + 1, why: `records that Sluice did not write: ${error.message}` });
    }
    const time = Number(source.readBigInt64BE(at + 35));
    blocks.push({ firstSequence: next, count: last + 1 - next, time, frames: target.subarray(start, filled) });
    next = last + 1;
    at = end;
  }
  return result();
}

/** When the batch at the start of `source` arrived, in ms; undefined when there is none. */
export function firstBatch(source: Buffer): { readonly last: number; readonly time: number } | undefined {
  if (source.length < BATCH_HEADER_BYTES) return undefined;
  const last = Number(source.readBigInt64BE(0)) + source.readInt32BE(23);
  return { last, time: Number(source.readBigInt64BE(35)) };
}

function whyUnreadable(source: Buffer, at: number, end: number, span: number, count: number): string | undefined {
  if (source[at + 16] !== 2) return `a batch of format ${source[at + 16]}`;
  if (end < at + BATCH_HEADER_BYTES) return 'a batch shorter than its header';
  if (crc32c(source.subarray(at + CHECKED_FROM, end)) !== source.readUInt32BE(at + 17)) return 'a wrong checksum';
  const attributes = source.readInt16BE(at + CHECKED_FROM);
  if ((attributes & CONTROL) !== 0) return 'a marker of a transaction';
  if ((attributes & COMPRESSION) !== 0) return 'a compressed batch, which Sluice does not write';
  if (count !== span) return 'a batch from which records were removed';
  return undefined;
}

/** Where the varint read last ended. One reader is enough: nothing here waits. */
let cursor = 0;

function readVarint(source: Buffer, start: number): number {
  let value = 0;
  let at = start;
  // A time may take ten bytes: of those only the place where they end is of use here.
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = source[at]!;
    at += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  cursor = at;
  return (value >>> 1) ^ -(value & 1);
}

/** Writes the frames of a batch's records but for the first `skip`; returns where they end. */
function copyFrames(source: Buffer, batch: number, end: number, skip: number, target: Buffer, start: number): number {
  let to = start;
  let at = batch + BATCH_HEADER_BYTES;
  for (let index = 0; at < end; index += 1) {
    const length = readVarint(source, at);
    const recordEnd = cursor + length;
    if (index >= skip) to = copyFrame(source, cursor + 1, target, to);
    at = recordEnd;
  }
  return to;
}

/** Writes the frame of the record whose times begin at `begin`. */
function copyFrame(source: Buffer, begin: number, target: Buffer, start: number): number {
  readVarint(source, begin);
  readVarint(source, cursor);
  const keyLength = readVarint(source, cursor);
  const keyStart = cursor;
  const dataLength = Math.max(0, readVarint(source, keyStart + Math.max(0, keyLength)));
  const dataStart = cursor;
  const timestamp = readTimestamp(source, dataStart + dataLength);
  target[start] = (keyLength < 0 ? 0 : FLAG_KEY) | (timestamp < 0 ? 0 : FLAG_TIMESTAMP);
  let to = target.writeUInt32LE(dataLength, start + 1);
  if (keyLength >= 0) to = target.writeUInt16LE(keyLength, to);
  if (timestamp >= 0) to = writeUint64(target, timestamp, to);
  if (keyLength > 0) to = copyBytes(source, keyStart, keyLength, target, to);
  return copyBytes(source, dataStart, dataLength, target, to);
}

/** The producer's own time among the headers at `start`, -1 for none. */
function readTimestamp(source: Buffer, start: number): number {
  if (source[start] === 0) return -1;
  let timestamp = -1;
  let left = readVarint(source, start);
  for (; left > 0; left -= 1) {
    const nameLength = readVarint(source, cursor);
    const name = cursor;
    const valueLength = Math.max(0, readVarint(source, name + nameLength));
    const value = cursor;
    if (isTimestamp(source, name, nameLength)) timestamp = readDecimal(source, value, valueLength);
    cursor = value + valueLength;
  }
  return timestamp;
}

function isTimestamp(source: Buffer, start: number, length: number): boolean {
  return length === TIMESTAMP_HEADER.length && source.compare(TIMESTAMP_HEADER, 0, length, start, start + length) === 0;
}

/** A whole number below 2^53, or -1. */
function readDecimal(source: Buffer, start: number, length: number): number {
  if (length === 0 || length > 16) return -1;
  let value = 0;
  for (let at = start; at < start + length; at += 1) {
    const digit = source[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : -1;
}
