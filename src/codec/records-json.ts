/**
 * Put and get answers as JSON text, written by hand: thousands of small objects a request cost more than everything else
 * the request does. All text is ASCII, one byte a character.
 */
import type { DomainError } from '../model/errors.ts';
import { FrameReader, type RecordBlock } from '../model/record-batch.ts';
import type { Partition } from '../model/stream.ts';

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A JSON string of ASCII characters only. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Longest text around the payload and the key of a record: names, quotes, a sequence number and a time. */
const RECORD_TEXT_BYTES = 192;
/** A character of a key takes six at the most, as `\\uXXXX`. */
const ESCAPED_BYTES = 6;

/**
 * `{"records":[…],"next_partition_cursor":…,"millis_behind_latest":…}` as bytes in a buffer of `allocate`. Written piece by
 * piece into place: a string of the whole answer would be put together, measured and copied once more each.
 */
export function encodeGetAnswer(
  blocks: readonly RecordBlock[],
  nextCursor: string,
  millisBehindLatest: number,
  allocate: (size: number) => Buffer,
): Buffer {
  const end = `],"next_partition_cursor":"${nextCursor}","millis_behind_latest":${millisBehindLatest}}`;
  const answer = allocate(end.length + blocks.reduce((sum, block) => sum + roomFor(block), RECORD_TEXT_BYTES));
  let at = answer.write('{"records":[', 0, 'latin1');
  let separator = '';
  for (const { firstSequence, time, frames } of blocks) {
    const reader = new FrameReader(frames);
    const tail = recordTail(time);
    for (let sequence = firstSequence; reader.next(); sequence += 1) {
      const { keyStart, keyLength, dataStart, dataLength, timestamp } = reader;
      const key =
        keyLength < 0 ? '' : `"partition_key":${quote(frames.toString('utf8', keyStart, keyStart + keyLength))},`;
      at += answer.write(`${separator}{${key}"sequence_number":"${sequence}","data":"`, at, 'latin1');
      at += answer.write(frames.toString('base64', dataStart, dataStart + dataLength), at, 'latin1');
      at += answer.write(timestamp < 0 ? tail : recordTail(timestamp), at, 'latin1');
      separator = ',';
    }
  }
  at += answer.write(end, at, 'latin1');
  return answer.subarray(0, at);
}

function recordTail(timestamp: number): string {
  return `","timestamp":${timestamp},"timestamp_type":"CreateTime"}`;
}

/** Bytes that the records of a block take in an answer, at the most. */
function roomFor({ frames }: RecordBlock): number {
  const reader = new FrameReader(frames);
  let room = 0;
  while (reader.next()) {
    const { keyLength, dataLength } = reader;
    room += RECORD_TEXT_BYTES + Math.max(0, keyLength) * ESCAPED_BYTES + Math.ceil(dataLength / 3) * 4;
  }
  return room;
}

/** What became of each record of a put, in request order. */
export interface PutOutcomes {
  readonly failed: number;
  /** Where each record is; no entry for one that was refused. */
  readonly partitions: readonly (Partition | undefined)[];
  readonly sequences: Float64Array;
  readonly errors: readonly (DomainError | undefined)[];
}

/** `{"failed_record_count":…,"records":[…]}`: failed entries carry nothing but their error, as clients look for that. */
export function encodePutAnswer({ failed, partitions, sequences, errors }: PutOutcomes): string {
  let text = `{"failed_record_count":${failed},"records":[`;
  for (let index = 0; index < partitions.length; index += 1) {
    if (index > 0) text += ',';
    const error = errors[index];
    text +=
      error === undefined
        ? `{"partition_id":"${partitions[index]!.id}","sequence_number":"${sequences[index]!}"}`
        : `{"error_code":"${error.code}","error_message":${quote(error.message)}}`;
  }
  return `${text}]}`;
}
