/**
 * Dead letters as JSON lines: each tells a record that could not be converted, where and when it arrived and why it
 * failed, in a form that people can read, and that gives back the very bytes of the record when it is tried again.
 *
 *   {"partition":"shardId-0000000000","sequence_number":"12","arrival_time":1764000000000,"timestamp":1763999999000,
 *    "partition_key":"k","reason":"…","payload":"…"}
 *
 * `timestamp` (the producer's) and `partition_key` are there if the record has them. A payload that is not UTF-8 stands
 * as `payload_base64` instead of `payload`.
 */
import { isUtf8 } from 'node:buffer';
import { formatPartitionId } from '../model/partition-id.ts';
import { frameBytes, writeFrameStart, type FrameReader, type RecordBlock } from '../model/record-batch.ts';

/** Where a dead record comes from and why it is one; the record itself is a frame. */
export interface DeathOf {
  readonly partition: number;
  readonly sequence: number;
  /** Arrival time in ms. */
  readonly time: number;
  readonly reason: string;
}

/** The line of the frame at which `frame` stands, line feed included. */
export function deadLetterLine(frame: FrameReader, { partition, sequence, time, reason }: DeathOf): Buffer {
  const { bytes, keyStart, keyLength, dataStart, dataLength, timestamp } = frame;
  const payload = bytes.subarray(dataStart, dataStart + dataLength);
  const letter: DeadLetter = {
    partition: formatPartitionId(partition),
    sequence_number: String(sequence),
    arrival_time: time,
    ...(timestamp < 0 ? {} : { timestamp }),
    ...(keyLength < 0 ? {} : { partition_key: bytes.toString('utf8', keyStart, keyStart + keyLength) }),
    reason,
    ...(isUtf8(payload) ? { payload: payload.toString('utf8') } : { payload_base64: payload.toString('base64') }),
  };
  return Buffer.from(`${JSON.stringify(letter)}\n`);
}

/**
 * The records of a dead-letter object whose bytes are `pieces`, in its order, as batches of about a megabyte. A letter is
 * a block of its own: what lies between two letters was delivered. Throws what `pieces` throws, and Error for a line
 * that is no dead letter.
 */
export async function* readDeadLetters(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly RecordBlock[], void, undefined> {
  let batch: RecordBlock[] = [];
  let bytes = 0;
  let number = 0;
  for await (const line of linesOf(pieces)) {
    number += 1;
    const block = parseLine(line, number);
    batch.push(block);
    bytes += block.frames.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

const BATCH_BYTES = 1024 * 1024;
const LINE_FEED = 10;

interface DeadLetter {
  readonly partition: string;
  readonly sequence_number: string;
  readonly arrival_time: number;
  readonly timestamp?: number;
  readonly partition_key?: string;
  readonly reason: string;
  readonly payload?: string;
  readonly payload_base64?: string;
}

/** Lines without their line feed; what follows the last one must be nothing. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let open: Buffer[] = [];
  for await (const given of pieces) {
    const piece = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, start)) {
      open.push(piece.subarray(start, end));
      yield (open.length === 1 ? open[0]! : Buffer.concat(open)).toString('utf8');
      open = [];
      start = end + 1;
    }
    // The piece may be used again by whoever gives it.
    if (start < piece.length) open.push(Buffer.from(piece.subarray(start)));
  }
  if (open.length > 0) throw new Error('the dead letters end in the middle of a line');
}

function parseLine(line: string, number: number): RecordBlock {
  let letter: Partial<DeadLetter> | null = null;
  try {
    letter = JSON.parse(line) as Partial<DeadLetter> | null;
  } catch (error) {
    throw notALetter(number, error);
  }
  const sequence = Number(letter?.sequence_number);
  const time = letter?.arrival_time;
  const payload = payloadOf(letter);
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(time) || payload === undefined) throw notALetter(number);
  return { firstSequence: sequence, count: 1, time: time!, frames: frameOf(payload, letter!) };
}

function payloadOf(letter: Partial<DeadLetter> | null): Buffer | undefined {
  if (typeof letter?.payload === 'string') return Buffer.from(letter.payload);
  return typeof letter?.payload_base64 === 'string' ? Buffer.from(letter.payload_base64, 'base64') : undefined;
}

function frameOf(payload: Buffer, { partition_key: key, timestamp }: Partial<DeadLetter>): Buffer {
  const keyBytes = key === undefined ? undefined : Buffer.byteLength(key);
  const frame = Buffer.allocUnsafe(frameBytes(payload.length, keyBytes, timestamp !== undefined));
  const keyAt = writeFrameStart(frame, 0, payload.length, keyBytes ?? -1, timestamp ?? -1);
  payload.copy(frame, keyAt + (key === undefined ? 0 : frame.write(key, keyAt)));
  return frame;
}

function notALetter(line: number, cause?: unknown): Error {
  return new Error(`line ${line} of the dead letters is none`, cause === undefined ? {} : { cause });
}
