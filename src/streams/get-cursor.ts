/** Get cursor: turns one of the five cursor types into a place in a partition. */
import { DomainError } from '../model/errors.ts';
import type { Partition, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { CursorCodec } from './cursor.ts';
import { findPartition } from './partition-status.ts';
import { retentionStart, validBounds } from './valid-bounds.ts';

export const CURSOR_TYPES = [
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'TRIM_HORIZON',
  'LATEST',
  'AT_TIMESTAMP',
] as const;
type CursorType = (typeof CURSOR_TYPES)[number];

export interface CursorRequest {
  readonly partitionId: string;
  /** Absent means AT_SEQUENCE_NUMBER. */
  readonly type?: string | undefined;
  /** Decimal text, for the two types that take it. */
  readonly sequenceNumber?: string | undefined;
  /** Milliseconds in decimal text, for AT_TIMESTAMP; ignored by the others. */
  readonly timestamp?: string | undefined;
}

export interface CursorOptions {
  readonly recordLog: RecordLog;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
}

const LARGEST_SEQUENCE = 2n ** 63n - 1n;

/**
 * A cursor at the wanted place. Throws InvalidPartitionId, PartitionNotFound, PartitionExpired, InvalidCursorType,
 * InvalidSequenceNumber, SequenceNumberOutOfRange, InvalidRequest (timestamp), TimestampExpired.
 */
export async function getCursor(options: CursorOptions, stream: Stream, request: CursorRequest): Promise<string> {
  const partition = findPartition(stream, request.partitionId, options.clock.now());
  const sequence = await locate(options, stream, partition, request);
  return options.cursors.encode({ ref: partition.ref, sequence, issuedAt: options.clock.now() });
}

async function locate(
  options: CursorOptions,
  stream: Stream,
  { ref }: Partition,
  request: CursorRequest,
): Promise<number> {
  const { recordLog, clock } = options;
  const type = parseType(request.type);
  switch (type) {
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER': {
      const wanted = parseSequence(request.sequenceNumber);
      const { first, next } = await validBounds(recordLog, clock, stream, ref);
      const step = type === 'AT_SEQUENCE_NUMBER' ? 0 : 1;
      if (wanted < first - step || wanted > next - step) {
        throw new DomainError('SequenceNumberOutOfRange', [
          String(wanted),
          ' should be within ',
          first - step,
          ' ',
          next - step,
        ]);
      }
      return Number(wanted) + step;
    }
    case 'TRIM_HORIZON':
      return (await validBounds(recordLog, clock, stream, ref)).first;
    case 'LATEST':
      return (await recordLog.bounds(ref)).next;
    case 'AT_TIMESTAMP': {
      const time = parseTime(request.timestamp);
      const oldest = retentionStart(stream, clock);
      if (time < oldest) throw new DomainError('TimestampExpired', [oldest]);
      return recordLog.seek(ref, time);
    }
  }
}

function parseType(text: string | undefined): CursorType {
  if (!text) return 'AT_SEQUENCE_NUMBER';
  const type = CURSOR_TYPES.find((known) => known === text);
  if (type === undefined) throw new DomainError('InvalidCursorType', [text.slice(0, 64)]);
  return type;
}

function parseSequence(text: string | undefined): bigint {
  if (text === undefined || !/^\d{1,19}$/.test(text) || BigInt(text) > LARGEST_SEQUENCE) {
    throw new DomainError('InvalidSequenceNumber', [(text ?? '').slice(0, 64)]);
  }
  return BigInt(text);
}

function parseTime(text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw new DomainError('InvalidRequest', ['timestamp', (text ?? '').slice(0, 64)]);
  return Number(text);
}
