/**
 * Put and get answers in Protocol Buffers (proto2), written by hand for the same reason as those in JSON: an object and a
 * writer for each record would cost more than everything else.
 *
 *   PutRecordsResult       failedRecordCount=21 int32, records=22 PutRecordsResultEntry*
 *   PutRecordsResultEntry  shardId=23 text, sequenceNumber=24 text, errorCode=25 text, errorMessage=26 text
 *   GetRecordsResult       nextShardIterator=14 text, records=16 Record*
 *   Record                 partitionKey=17 text, sequenceNumber=18 text, data=19 bytes, timestamp=27 int64,
 *                          timestampType=28 text
 */
import { FrameReader, type RecordBlock } from '../model/record-batch.ts';
import { bytesTag, varintBytes, varintTag, writeVarint } from './protobuf-wire.ts';
import type { PutOutcomes } from './records-json.ts';

const FAILED_RECORD_COUNT = varintTag(21);
const PUT_RECORDS = bytesTag(22);
const SHARD_ID = bytesTag(23);
const PUT_SEQUENCE_NUMBER = bytesTag(24);
const ERROR_CODE = bytesTag(25);
const ERROR_MESSAGE = bytesTag(26);
const NEXT_SHARD_ITERATOR = bytesTag(14);
const GET_RECORDS = bytesTag(16);
const PARTITION_KEY = bytesTag(17);
const GET_SEQUENCE_NUMBER = bytesTag(18);
const DATA = bytesTag(19);
const TIMESTAMP = varintTag(27);
const TIMESTAMP_TYPE = bytesTag(28);

const CREATE_TIME = textField(TIMESTAMP_TYPE, Buffer.from('CreateTime'));
/** Tags, lengths, sequence number, time and its type: whatever a record takes besides its key and payload. */
const RECORD_BYTES = 64;
/** The same of an entry of a put: tags, lengths, partition id and sequence number, or an error code. */
const ENTRY_BYTES = 64;

/** PutRecordsResult: failed entries carry nothing but their error, as clients look for that. */
export function encodeProtobufPutAnswer({ failed, partitions, sequences, errors }: PutOutcomes): Buffer {
  const messages = errors.map((error) => (error === undefined ? undefined : Buffer.from(error.message)));
  const room = messages.reduce((sum, message) => sum + ENTRY_BYTES + (message?.length ?? 0), ENTRY_BYTES);
  const answer = Buffer.allocUnsafe(room);
  let at = writeVarint(answer, failed, writeVarint(answer, FAILED_RECORD_COUNT, 0));
  for (let index = 0; index < partitions.length; index += 1) {
    const message = messages[index];
    at = writeVarint(answer, PUT_RECORDS, at);
    at =
      message === undefined
        ? writeStored(answer, at, partitions[index]!.id, sequences[index]!)
        : writeRefused(answer, at, errors[index]!.code, message);
  }
  return answer.subarray(0, at);
}

function writeStored(answer: Buffer, offset: number, shardId: string, sequence: number): number {
  const digits = decimalBytes(sequence);
  const length = bytesFieldLength(SHARD_ID, shardId.length) + bytesFieldLength(PUT_SEQUENCE_NUMBER, digits);
  let at = writeAsciiField(answer, writeVarint(answer, length, offset), SHARD_ID, shardId);
  at = writeVarint(answer, digits, writeVarint(answer, PUT_SEQUENCE_NUMBER, at));
  return writeDecimal(answer, at, sequence, digits);
}

function writeRefused(answer: Buffer, offset: number, code: string, message: Buffer): number {
  const length = bytesFieldLength(ERROR_CODE, code.length) + bytesFieldLength(ERROR_MESSAGE, message.length);
  const at = writeAsciiField(answer, writeVarint(answer, length, offset), ERROR_CODE, code);
  return at + textField(ERROR_MESSAGE, message).copy(answer, at);
}

/** GetRecordsResult, in a buffer of `allocate`. */
export function encodeProtobufGetAnswer(
  blocks: readonly RecordBlock[],
  nextCursor: string,
  allocate: (size: number) => Buffer,
): Buffer {
  const end = textField(NEXT_SHARD_ITERATOR, Buffer.from(nextCursor));
  const room = blocks.reduce((sum, { count, frames }) => sum + count * RECORD_BYTES + frames.length, end.length);
  const answer = allocate(room);
  let at = 0;
  for (const { firstSequence, time, frames } of blocks) {
    const reader = new FrameReader(frames);
    for (let sequence = firstSequence; reader.next(); sequence += 1)
      at = writeRecord(answer, at, reader, sequence, time);
  }
  at += end.copy(answer, at);
  return answer.subarray(0, at);
}

/** Writes the frame that `reader` is at as a Record of the answer; returns the offset after it. */
function writeRecord(answer: Buffer, offset: number, reader: FrameReader, sequence: number, arrival: number): number {
  const { bytes, keyStart, keyLength, dataStart, dataLength } = reader;
  const timestamp = reader.timestamp < 0 ? arrival : reader.timestamp;
  const digits = decimalBytes(sequence);
  const length =
    (keyLength < 0 ? 0 : bytesFieldLength(PARTITION_KEY, keyLength)) +
    bytesFieldLength(GET_SEQUENCE_NUMBER, digits) +
    bytesFieldLength(DATA, dataLength) +
    varintBytes(TIMESTAMP) +
    varintBytes(timestamp) +
    CREATE_TIME.length;

  let at = writeVarint(answer, length, writeVarint(answer, GET_RECORDS, offset));
  if (keyLength >= 0) {
    at = writeVarint(answer, keyLength, writeVarint(answer, PARTITION_KEY, at));
    at += bytes.copy(answer, at, keyStart, keyStart + keyLength);
  }
  at = writeVarint(answer, digits, writeVarint(answer, GET_SEQUENCE_NUMBER, at));
  at = writeDecimal(answer, at, sequence, digits);
  at = writeVarint(answer, dataLength, writeVarint(answer, DATA, at));
  at += bytes.copy(answer, at, dataStart, dataStart + dataLength);
  at = writeVarint(answer, timestamp, writeVarint(answer, TIMESTAMP, at));
  return at + CREATE_TIME.copy(answer, at);
}

function bytesFieldLength(tag: number, length: number): number {
  return varintBytes(tag) + varintBytes(length) + length;
}

function textField(tag: number, text: Buffer): Buffer {
  const field = Buffer.allocUnsafe(bytesFieldLength(tag, text.length));
  text.copy(field, writeVarint(field, text.length, writeVarint(field, tag, 0)));
  return field;
}

/** A short text of ASCII, character by character: that is faster than the call of a native function. */
function writeAsciiField(target: Buffer, offset: number, tag: number, text: string): number {
  let at = writeVarint(target, text.length, writeVarint(target, tag, offset));
  for (let index = 0; index < text.length; index += 1) target[at++] = text.charCodeAt(index);
  return at;
}

/** Decimal digits of a whole number from 0 to 2^53-1. */
function decimalBytes(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits += 1;
  return digits;
}

/** Writes a whole number in its `digits` decimal digits; returns the offset after them. */
function writeDecimal(target: Buffer, offset: number, value: number, digits: number): number {
  let rest = value;
  let at = offset + digits;
  for (; rest >= 0x8000_0000; rest = Math.floor(rest / 10)) target[--at] = 48 + (rest % 10);
  for (; at > offset; rest = (rest / 10) | 0) target[--at] = 48 + (rest % 10);
  return offset + digits;
}
