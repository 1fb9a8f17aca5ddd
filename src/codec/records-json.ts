/**
 * Put and get answers as JSON text, written by hand: thousands of small objects a request cost more than everything else
 * the request does. The text is ASCII, so that it stays one byte a character until it is on the wire.
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

/** `{"records":[…],"next_partition_cursor":…,"millis_behind_latest":…}`. */
export function encodeGetAnswer(
  blocks: readonly RecordBlock[],
  nextCursor: string,
  millisBehindLatest: number,
): string {
  let text = '{"records":[';
  let separator = '';
  for (const { firstSequence, time, frames } of blocks) {
    const reader = new FrameReader(frames);
    for (let sequence = firstSequence; reader.next(); sequence += 1) {
      text += separator;
      text += '{';
      if (reader.keyLength >= 0) {
        const key = frames.toString('utf8', reader.keyStart, reader.keyStart + reader.keyLength);
        text += `"partition_key":${quote(key)},`;
      }
      const data = frames.toString('base64', reader.dataStart, reader.dataStart + reader.dataLength);
      const timestamp = reader.timestamp < 0 ? time : reader.timestamp;
      text += `"sequence_number":"${sequence}","data":"${data}","timestamp":${timestamp},"timestamp_type":"CreateTime"}`;
      separator = ',';
    }
  }
  return `${text}],"next_partition_cursor":"${nextCursor}","millis_behind_latest":${millisBehindLatest}}`;
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
