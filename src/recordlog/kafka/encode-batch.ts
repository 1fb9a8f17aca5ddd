/**
 * Frames (model/record-batch.ts) as one Kafka record batch of format 2, written in one go without an object per record.
 *
 * A record carries the partition key as its key, the payload as its value, and the producer's own time, if it gave one,
 * as a header `timestamp` in decimal milliseconds, so that any Kafka consumer can read the topic. Batches are not
 * compressed: the brokers would keep them so, and every read of a few records would have to inflate the whole batch.
 */
import { crc32c } from '@node-rs/crc32';
import { FrameReader } from '../../model/record-batch.ts';

/** Bytes before the first record. */
export const BATCH_HEADER_BYTES = 61;
/** Where what the checksum covers begins. */
export const CHECKED_FROM = 21;
export const TIMESTAMP_HEADER = Buffer.from('timestamp');

/** Most bytes that a record takes beyond its frame: its lengths and offset as varints, attributes, times. */
const RECORD_OVERHEAD = 24;
/** … and its header: two lengths, the name, 16 digits. */
const TIMESTAMP_OVERHEAD = 2 + TIMESTAMP_HEADER.length + 16;
const SHORT_COPY = 48;

/** Who sends a batch, and as which one: a broker stores a batch that it has stored already once. */
export interface BatchIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
  /** Number of the batch's first record among those of this producer and epoch in this partition. */
  readonly sequence: number;
}

export interface FrameRun {
  readonly count: number;
  readonly frames: Buffer;
}

/** Room that `encodeBatch` needs. */
export function encodedBound(runs: readonly FrameRun[]): number {
  return runs.reduce(
    (sum, { count, frames }) => sum + frames.length + count * (RECORD_OVERHEAD + TIMESTAMP_OVERHEAD),
    BATCH_HEADER_BYTES,
  );
}

/** Writes the runs as one batch at the start of `target` and returns that part of it. */
export function encodeBatch(target: Buffer, runs: readonly FrameRun[], identity: BatchIdentity, now: number): Buffer {
  let at = BATCH_HEADER_BYTES;
  let count = 0;
  for (const run of runs) {
    const frames = new FrameReader(run.frames);
    while (frames.next()) {
      at = writeRecord(target, at, frames, count);
      count += 1;
    }
  }
  target.writeInt32BE(0, 0);
  target.writeInt32BE(0, 4);
  target.writeInt32BE(at - 12, 8);
  target.writeInt32BE(-1, 12);
  target[16] = 2;
  target.writeInt16BE(0, CHECKED_FROM);
  target.writeInt32BE(count - 1, 23);
  // The brokers put the time of arrival in the place of these two.
  target.writeBigInt64BE(BigInt(now), 27);
  target.writeBigInt64BE(BigInt(now), 35);
  target.writeBigInt64BE(identity.producerId, 43);
  target.writeInt16BE(identity.epoch, 51);
  target.writeInt32BE(identity.sequence, 53);
  target.writeInt32BE(count, 57);
  target.writeUInt32BE(crc32c(target.subarray(CHECKED_FROM, at)), 17);
  return target.subarray(0, at);
}

function writeRecord(target: Buffer, start: number, frame: FrameReader, index: number): number {
  const { bytes, keyStart, keyLength, dataStart, dataLength, timestamp } = frame;
  const time = timestamp < 0 ? '' : String(timestamp);
  const headerBytes = timestamp < 0 ? 0 : 2 + TIMESTAMP_HEADER.length + time.length;
  const length =
    3 +
    varintBytes(index) +
    varintBytes(keyLength) +
    Math.max(0, keyLength) +
    varintBytes(dataLength) +
    dataLength +
    headerBytes;
  let at = writeVarint(target, start, length);
  target[at] = 0;
  target[at + 1] = 0;
  at = writeVarint(target, at + 2, index);
  at = writeVarint(target, at, keyLength);
  if (keyLength > 0) at = copyBytes(bytes, keyStart, keyLength, target, at);
  at = writeVarint(target, at, dataLength);
  at = copyBytes(bytes, dataStart, dataLength, target, at);
  target[at] = headerBytes === 0 ? 0 : 2;
  at += 1;
  if (headerBytes === 0) return at;
  at = writeVarint(target, at, TIMESTAMP_HEADER.length);
  at = copyBytes(TIMESTAMP_HEADER, 0, TIMESTAMP_HEADER.length, target, at);
  at = writeVarint(target, at, time.length);
  return at + target.write(time, at, 'latin1');
}

/** A call into the runtime costs more than moving a few bytes by hand. */
export function copyBytes(source: Buffer, start: number, length: number, target: Buffer, at: number): number {
  if (length < SHORT_COPY) for (let index = 0; index < length; index += 1) target[at + index] = source[start + index]!;
  else source.copy(target, at, start, start + length);
  return at + length;
}

/** A signed number below 2^31 as Kafka's zig-zag varint; returns the offset after it. */
function writeVarint(target: Buffer, start: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = start;
  while (rest > 0x7f) {
    target[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  target[at] = rest;
  return at + 1;
}

function varintBytes(value: number): number {
  const rest = ((value << 1) ^ (value >> 31)) >>> 0;
  if (rest < 0x80) return 1;
  if (rest < 0x4000) return 2;
  if (rest < 0x20_0000) return 3;
  return rest < 0x1000_0000 ? 4 : 5;
}
