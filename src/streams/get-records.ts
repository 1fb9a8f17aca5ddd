/** Get records: reads on from a cursor, up to a number of records and of payload bytes. */
import type { TrafficMeter } from '../metrics/traffic-meter.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { Principal } from '../model/principal.ts';
import { formatPartitionId } from '../model/partition-id.ts';
import { FrameReader, type RecordBlock } from '../model/record-batch.ts';
import type { Partition, Stream } from '../model/stream.ts';
import { BufferLoan, type BufferPool } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import { DamagedRecords, type ReadOptions, type RecordLog } from '../recordlog/record-log.ts';
import type { CursorCodec } from './cursor.ts';
import { requireReadable } from './partition-status.ts';
import { mayUse } from './stream-access.ts';
import type { StreamRegistry } from './stream-registry.ts';
import type { Throttle } from './throttle.ts';
import { validBounds } from './valid-bounds.ts';

export interface GetRequest {
  readonly caller: Principal;
  readonly cursor: string;
  /** Most records, at least 1. */
  readonly limit: number;
  /** Most payload bytes; when the next record alone has more, nothing is returned. */
  readonly maxBytes: number;
}

export interface GetOptions {
  readonly registry: StreamRegistry;
  readonly recordLog: RecordLog;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly limits: Limits;
  readonly throttle: Throttle | undefined;
  readonly traffic: TrafficMeter;
  /** Where the records of an answer are read to. */
  readonly buffers: BufferPool;
}

export interface GetResult {
  /** Exactly the records of the answer. */
  readonly blocks: readonly RecordBlock[];
  readonly nextCursor: string;
  /** Age of the next record in ms; 0 at the end. */
  readonly millisBehindLatest: number;
  /** To be called once the blocks are done with: their memory is used again. */
  readonly release: () => void;
}

/**
 * Throws InvalidCursor (also for a cursor of a stream that is gone or that the caller may not read), CursorExpired,
 * PartitionExpired, CursorRecordExpired, TrafficLimit, and RecordsDamaged when the next record cannot be read back.
 */
export async function getRecords(options: GetOptions, request: GetRequest): Promise<GetResult> {
  const { registry, recordLog, clock, cursors } = options;
  const startedAt = clock.monotonic();
  const { ref, sequence } = cursors.decode(request.cursor, clock.now());
  const stream = registry.byNumber(ref.stream);
  const partition = stream?.partitions[ref.partition];
  if (stream === undefined || partition === undefined || !mayUse(stream, request.caller, 'getRecords')) {
    throw new DomainError('InvalidCursor');
  }
  requireReadable(stream, partition, clock.now());
  admit(options, stream, partition, 0);
  const { first, next } = await validBounds(recordLog, clock, stream, ref);
  if (sequence < first)
    throw new DomainError('CursorRecordExpired', [sequence, ' should be within ', first, ' ', next]);

  const maxBytes = Math.min(request.maxBytes, options.limits.get_bytes);
  const loan = new BufferLoan(options.buffers);
  const wanted = { maxRecords: request.limit, allocate: loan.take };
  const read = await readBlocks(options, stream, ref, sequence, maxBytes, wanted);
  const { blocks, bytes, end, behind } = take(read, sequence, request.limit, maxBytes);
  admit(options, stream, partition, bytes);
  const now = clock.now();
  const nextTime = end < next ? (behind ?? (await recordLog.arrivalTime(ref, end)) ?? now) : now;
  options.traffic.countGet(ref, end - sequence, bytes, clock.monotonic() - startedAt);
  return {
    blocks,
    nextCursor: cursors.encode({ ref, sequence: end, issuedAt: now }),
    millisBehindLatest: Math.max(0, now - nextTime),
    release: () => loan.giveBack(),
  };
}

function admit({ throttle, traffic }: GetOptions, stream: Stream, partition: Partition, bytes: number): void {
  if (throttle?.admitRead(stream, partition, bytes) !== false) return;
  traffic.countThrottledGet(stream.number);
  throw new DomainError('TrafficLimit', [stream.name, partition.id]);
}

async function readBlocks(
  { recordLog }: GetOptions,
  stream: Stream,
  ref: { stream: number; partition: number },
  from: number,
  maxBytes: number,
  wanted: ReadOptions,
): Promise<RecordBlock[]> {
  try {
    return await recordLog.read(ref, from, maxBytes, wanted);
  } catch (error) {
    if (!(error instanceof DamagedRecords)) throw error;
    throw new DomainError(
      'RecordsDamaged',
      [stream.name, formatPartitionId(ref.partition), error.from, error.to],
      error,
    );
  }
}

interface Taken {
  readonly blocks: RecordBlock[];
  readonly bytes: number;
  /** Number of the first record that was not taken. */
  readonly end: number;
  /** Arrival time of that record, if it was among those read. */
  readonly behind: number | undefined;
}

/** The first records of `blocks`, up to `limit` of them and `maxBytes` of payload. */
function take(blocks: readonly RecordBlock[], from: number, limit: number, maxBytes: number): Taken {
  const taken: RecordBlock[] = [];
  let records = 0;
  let bytes = 0;
  for (const block of blocks) {
    const reader = new FrameReader(block.frames);
    let count = 0;
    let cut = 0;
    while (records < limit && reader.next()) {
      if (bytes + reader.dataLength > maxBytes) break;
      bytes += reader.dataLength;
      records += 1;
      count += 1;
      cut = reader.end;
    }
    if (count === block.count) {
      taken.push(block);
      continue;
    }
    if (count > 0) taken.push({ ...block, count, frames: block.frames.subarray(0, cut) });
    return { blocks: taken, bytes, end: from + records, behind: block.time };
  }
  return { blocks: taken, bytes, end: from + records, behind: undefined };
}
