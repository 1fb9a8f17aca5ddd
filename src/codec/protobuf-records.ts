/**
 * The records of a put request in Protocol Buffers (proto2). Members are read where they lie in the request; payloads and
 * keys are copied once, into the frames that are stored.
 *
 *   PutRecordsRequest       streamName=1 text, records=2 PutRecordsRequestEntry*, streamId=30 text
 *   PutRecordsRequestEntry  data=3 bytes, explicitHashKey=4 text, partitionKey=5 text, partitionId=6 text,
 *                           extendedInfo=7 message, timestamp=29 int64
 *
 * Fields that are not here are skipped, also when they have a number of these with another wire type; the last of a field
 * that is there more than once counts. An empty text is an absent one. Both names may be missing: whoever needs one says so.
 */
import { isUtf8 } from 'node:buffer';
import { DomainError } from '../model/errors.ts';
import { hashKeyBytes, type KeyHash } from '../model/key-hash.ts';
import type { RecordSource } from '../model/record-source.ts';
import { bytesTag, varintTag, WireReader } from './protobuf-wire.ts';

const STREAM_NAME = bytesTag(1);
const RECORDS = bytesTag(2);
const STREAM_ID = bytesTag(30);
const DATA = bytesTag(3);
const EXPLICIT_HASH_KEY = bytesTag(4);
const PARTITION_KEY = bytesTag(5);
const PARTITION_ID = bytesTag(6);
const EXTENDED_INFO = bytesTag(7);
const TIMESTAMP = varintTag(29);

/** Where the members of a record lie: a start and a length each, four members to a record. */
const DATA_AT = 0;
const HASH_AT = 2;
const KEY_AT = 4;
const ID_AT = 6;
const PLACES = 8;

/** Up to here a loop over the bytes is faster than the call of `Buffer.copy`. */
const LOOP_BYTES = 24;

export interface ProtobufPut {
  /** `""` when absent. */
  readonly streamName: string;
  /** `""` when absent. */
  readonly streamId: string;
  readonly records: RecordSource;
}

/**
 * Reads a PutRecordsRequest, whose bytes must stay as they are while its records are used. Throws InvalidBody for bytes that
 * are none and for a timestamp that is not in 0 … 2^53-1, RequestTooLarge for more than `maxRecords` records.
 */
export function readProtobufPut(bytes: Buffer, maxRecords: number): ProtobufPut {
  let streamName = '';
  let streamId = '';
  let count = 0;
  const message = new WireReader(bytes);
  while (message.next()) {
    if (message.tag === RECORDS) count += 1;
    else if (message.tag === STREAM_NAME) streamName = textOf(message);
    else if (message.tag === STREAM_ID) streamId = textOf(message);
  }
  // Before there is room made for them.
  if (count > maxRecords) throw new DomainError('RequestTooLarge', ['records', count, maxRecords]);
  return { streamName, streamId, records: new ProtobufRecords(bytes, count) };
}

class ProtobufRecords implements RecordSource {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #places: Int32Array;
  readonly #timestamps: Float64Array;
  readonly #extended: Uint8Array;

  constructor(bytes: Buffer, count: number) {
    this.#bytes = bytes;
    this.count = count;
    this.#places = new Int32Array(count * PLACES);
    this.#timestamps = new Float64Array(count).fill(-1);
    this.#extended = new Uint8Array(count);
    const message = new WireReader(bytes);
    const record = new WireReader(bytes);
    for (let index = 0; message.next();) {
      if (message.tag !== RECORDS) continue;
      record.move(message.start, message.start + message.length);
      this.#locate(record, index);
      index += 1;
    }
  }

  #locate(record: WireReader, index: number): void {
    while (record.next()) {
      switch (record.tag) {
        case DATA:
          this.#place(index, DATA_AT, record);
          break;
        case EXPLICIT_HASH_KEY:
          this.#place(index, HASH_AT, record);
          break;
        case PARTITION_KEY:
          this.#place(index, KEY_AT, record);
          break;
        case PARTITION_ID:
          this.#place(index, ID_AT, record);
          break;
        case TIMESTAMP:
          if (record.value > Number.MAX_SAFE_INTEGER) throw timestampError(index);
          this.#timestamps[index] = record.value;
          break;
        case EXTENDED_INFO:
          this.#extended[index] = 1;
          break;
      }
    }
  }

  #place(index: number, member: number, { start, length }: WireReader): void {
    const at = index * PLACES + member;
    this.#places[at] = start;
    this.#places[at + 1] = length;
  }

  problem(index: number): DomainError | undefined {
    if (this.#extended[index] !== 0) return new DomainError('Retired', ['extendedInfo', 'upload of small files']);
    const at = this.#start(index, KEY_AT);
    const end = at + this.#length(index, KEY_AT);
    // What is not UTF-8 could not be served in JSON as it was put.
    if (isAscii(this.#bytes, at, end) || isUtf8(this.#bytes.subarray(at, end))) return undefined;
    return new DomainError('InvalidRecord', ['partition_key must be UTF-8']);
  }

  dataBytes(index: number): number {
    return this.#length(index, DATA_AT);
  }

  writeData(index: number, target: Buffer, offset: number): number {
    return this.#copy(index, DATA_AT, target, offset);
  }

  partitionId(index: number): string {
    return this.#text(index, ID_AT);
  }

  explicitHashKey(index: number): string {
    return this.#text(index, HASH_AT);
  }

  keyBytes(index: number): number {
    return this.#length(index, KEY_AT) || -1;
  }

  hashKey(index: number, target: KeyHash): void {
    hashKeyBytes(this.#bytes, this.#start(index, KEY_AT), this.#length(index, KEY_AT), target);
  }

  writeKey(index: number, target: Buffer, offset: number): void {
    this.#copy(index, KEY_AT, target, offset);
  }

  timestamp(index: number): number {
    return this.#timestamps[index]!;
  }

  #start(index: number, member: number): number {
    return this.#places[index * PLACES + member]!;
  }

  #length(index: number, member: number): number {
    return this.#places[index * PLACES + member + 1]!;
  }

  #text(index: number, member: number): string {
    const length = this.#length(index, member);
    if (length === 0) return '';
    const start = this.#start(index, member);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #copy(index: number, member: number, target: Buffer, offset: number): number {
    const start = this.#start(index, member);
    const length = this.#length(index, member);
    const bytes = this.#bytes;
    if (length > LOOP_BYTES) return bytes.copy(target, offset, start, start + length);
    for (let at = 0; at < length; at += 1) target[offset + at] = bytes[start + at]!;
    return length;
  }
}

function textOf({ bytes, start, length }: WireReader): string {
  return bytes.toString('utf8', start, start + length);
}

/** The wording of the same refusal in JSON. */
function timestampError(index: number): DomainError {
  return new DomainError('InvalidBody', [
    `records.${index}.timestamp`,
    `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
  ]);
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at]! > 0x7f) return false;
  return true;
}
