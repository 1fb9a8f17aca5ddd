/**
 * Put: gives each record of a request its partition and hands the request to the record log as one append.
 *
 * What one record has wrong is that record's error; the others are stored. The payloads are written straight into one
 * buffer, partition by partition, in the form in which they are stored and served: there is no object per record.
 */
import type { PutOutcomes } from '../codec/records-json.ts';
import type { TrafficMeter } from '../metrics/traffic-meter.ts';
import { DomainError } from '../model/errors.ts';
import type { KeyHash } from '../model/key-hash.ts';
import type { Limits } from '../model/limits.ts';
import { parsePartitionId } from '../model/partition-id.ts';
import { PartitionTable } from '../model/partition-table.ts';
import { frameBytes, writeFrameStart } from '../model/record-batch.ts';
import type { RecordSource } from '../model/record-source.ts';
import type { Partition, Stream } from '../model/stream.ts';
import type { AppendBatch, AppendOutcome, RecordLog } from '../recordlog/record-log.ts';
import type { BufferPool } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import type { Throttle } from './throttle.ts';

export interface PutOptions {
  readonly recordLog: RecordLog;
  readonly limits: Limits;
  /** Where the payloads of a request are put together. */
  readonly buffers: BufferPool;
  /** Present when the cloud service's throughput is to be imitated. */
  readonly throttle: Throttle | undefined;
  readonly traffic: TrafficMeter;
  readonly clock: Clock;
}

const LONGEST_KEY_BYTES = 0xffff;
const LARGEST_HASH = 2n ** 63n - 1n;
const tables = new WeakMap<Stream, PartitionTable>();

/**
 * Stores the records of a request. Throws RequestTooLarge when there are too many records or bytes, and the log's own refusal
 * (DiskFull, LogReadOnly, ShuttingDown, TooManyRequests, LogUnavailable, OutcomeUnknown) when that is what it says of all.
 */
export async function putRecords(options: PutOptions, stream: Stream, records: RecordSource): Promise<PutOutcomes> {
  const { recordLog, limits, traffic, clock } = options;
  const startedAt = clock.monotonic();
  const { count } = records;
  if (count === 0) throw new DomainError('EmptyRequest', ['records']);
  if (count > limits.put_records) throw new DomainError('RequestTooLarge', ['records', count, limits.put_records]);

  const request = new Request(stream, records);
  request.choosePartitions(options);
  const buffer = options.buffers.take(request.bytes);
  const batches = request.encode(buffer);
  if (batches.length > 0) request.settle(await recordLog.append(batches), batches);
  // Not in a `finally`: after a failure nobody can say who still holds it.
  options.buffers.give(buffer);
  request.meter(traffic, clock.monotonic() - startedAt);
  return request.result();
}

/** The records of one partition while the request is put together. */
interface Share {
  readonly partition: Partition;
  bytes: number;
  /** Where the next frame goes. */
  at: number;
  start: number;
  count: number;
  /** Payload bytes of those `count`. */
  dataBytes: number;
  first: number;
}

class Request {
  readonly #records: RecordSource;
  readonly #table: PartitionTable;
  readonly #stream: Stream;
  readonly #shares = new Map<Partition, Share>();
  readonly #shareOf: (Share | undefined)[];
  readonly #keyBytes: Int32Array;
  readonly #sequences: Float64Array;
  readonly #errors: (DomainError | undefined)[];
  #failed = 0;
  #throttled = false;

  constructor(stream: Stream, records: RecordSource) {
    const { count } = records;
    this.#stream = stream;
    this.#records = records;
    let table = tables.get(stream);
    if (table === undefined) tables.set(stream, (table = new PartitionTable(stream)));
    this.#table = table;
    this.#shareOf = new Array<Share | undefined>(count).fill(undefined);
    this.#errors = new Array<DomainError | undefined>(count).fill(undefined);
    this.#keyBytes = new Int32Array(count);
    this.#sequences = new Float64Array(count);
  }

  /** Checks each record and adds up what each partition will take. */
  choosePartitions({ limits, throttle }: PutOptions): void {
    const records = this.#records;
    let total = 0;
    for (let index = 0; index < records.count; index += 1) {
      const dataBytes = records.dataBytes(index);
      if (dataBytes > 0) total += dataBytes;
      const place = this.#choosePlace(index, dataBytes, limits);
      if (place instanceof DomainError) this.#refuse(index, place);
      else if (throttle?.admitWrite(this.#stream, place, dataBytes) === false) {
        this.#throttled = true;
        this.#refuse(index, new DomainError('TrafficLimit', [this.#stream.name, place.id]));
      } else this.#assign(index, place, dataBytes);
    }
    if (total > limits.put_bytes)
      throw new DomainError('RequestTooLarge', ['bytes of records', total, limits.put_bytes]);
  }

  #choosePlace(index: number, dataBytes: number, limits: Limits): Partition | DomainError {
    const records = this.#records;
    const problem = records.problem(index) ?? checkData(dataBytes, limits);
    if (problem !== undefined) return problem;
    const partitionId = records.partitionId(index);
    // A record addressed by partition id is served without its key, as the documents say.
    const keyBytes = partitionId === '' ? records.keyBytes(index) : -1;
    this.#keyBytes[index] = keyBytes;
    if (keyBytes > LONGEST_KEY_BYTES) return new DomainError('InvalidRecord', ['partition_key is too long']);
    if (partitionId !== '') return namedPartition(this.#stream, partitionId);
    return hashedPartition(this.#table, records, index, keyBytes);
  }

  #assign(index: number, partition: Partition, dataBytes: number): void {
    const keyBytes = this.#keyBytes[index]!;
    const share = this.#share(partition);
    share.bytes += frameBytes(dataBytes, keyBytes < 0 ? undefined : keyBytes, this.#records.timestamp(index) >= 0);
    this.#shareOf[index] = share;
  }

  /** Room that `encode` needs. */
  get bytes(): number {
    let total = 0;
    for (const { bytes } of this.#shares.values()) total += bytes;
    return total;
  }

  /** Writes the records into `buffer` and cuts it into one batch a partition. */
  encode(buffer: Buffer): AppendBatch[] {
    let start = 0;
    for (const share of this.#shares.values()) {
      share.start = share.at = start;
      start += share.bytes;
    }
    const records = this.#records;
    for (let index = 0; index < records.count; index += 1) {
      const share = this.#shareOf[index];
      if (share === undefined) continue;
      const dataBytes = records.dataBytes(index);
      const keyBytes = this.#keyBytes[index]!;
      const keyAt = writeFrameStart(buffer, share.at, dataBytes, keyBytes, records.timestamp(index));
      if (keyBytes > 0) records.writeKey(index, buffer, keyAt);
      const dataAt = keyAt + Math.max(0, keyBytes);
      const written = records.writeData(index, buffer, dataAt);
      if (written <= 0) {
        this.#refuse(index, new DomainError('InvalidRecord', ['data is not Base64']));
        continue;
      }
      // White space made the text longer than its payload.
      if (written < dataBytes) buffer.writeUInt32LE(written, share.at + 1);
      share.at = dataAt + written;
      this.#sequences[index] = share.count;
      share.count += 1;
      share.dataBytes += written;
    }
    const filled = [...this.#shares.values()].filter(({ count }) => count > 0);
    return filled.map(({ partition, count, start, at }) => ({
      ref: partition.ref,
      count,
      frames: buffer.subarray(start, at),
    }));
  }

  /** Turns the places within each batch into sequence numbers. Throws when nothing at all was stored. */
  settle(outcomes: readonly AppendOutcome[], batches: readonly AppendBatch[]): void {
    const refused = new Map<Share, DomainError>();
    const filled = [...this.#shares.values()].filter(({ count }) => count > 0);
    outcomes.forEach((outcome, index) => {
      const share = filled[index]!;
      if ('error' in outcome) refused.set(share, outcome.error);
      else share.first = outcome.firstSequence;
    });
    const [first, ...others] = refused.values();
    // Of different ones each record is told its own: one may have been stored and another not.
    const isSame = others.every(({ kind }) => kind === first?.kind);
    if (first !== undefined && isSame && refused.size === batches.length) throw first;
    for (const share of refused.keys()) share.count = 0;
    this.#shareOf.forEach((share, index) => {
      if (share === undefined) return;
      const error = refused.get(share);
      if (error !== undefined) this.#refuse(index, error);
      else this.#sequences[index]! += share.first;
    });
  }

  /** Counts what was stored. */
  meter(traffic: TrafficMeter, ms: number): void {
    traffic.countPut(this.#stream.number, this.#shares.values(), ms);
    if (this.#throttled) traffic.countThrottledPut(this.#stream.number);
  }

  result(): PutOutcomes {
    const partitions = this.#shareOf.map((share) => share?.partition);
    return { failed: this.#failed, partitions, sequences: this.#sequences, errors: this.#errors };
  }

  #share(partition: Partition): Share {
    let share = this.#shares.get(partition);
    if (share === undefined) {
      share = { partition, bytes: 0, at: 0, start: 0, count: 0, dataBytes: 0, first: 0 };
      this.#shares.set(partition, share);
    }
    return share;
  }

  #refuse(index: number, error: DomainError): void {
    this.#errors[index] = error;
    this.#shareOf[index] = undefined;
    this.#failed += 1;
  }
}

function checkData(dataBytes: number, limits: Limits): DomainError | undefined {
  if (dataBytes < 0) return new DomainError('InvalidRecord', ['data is not Base64']);
  if (dataBytes === 0) return new DomainError('InvalidRecord', ['data is empty']);
  if (dataBytes > limits.record_bytes) return new DomainError('RecordTooLarge', [dataBytes, limits.record_bytes]);
  return undefined;
}

const keyHash: KeyHash = { high: 0, low: 0 };

/** explicit_hash_key > partition_key > in turn. */
function hashedPartition(table: PartitionTable, records: RecordSource, index: number, keyBytes: number): Partition {
  const text = records.explicitHashKey(index);
  const explicit = text === '' ? undefined : parseHash(text);
  if (explicit !== undefined) {
    keyHash.high = Number(explicit >> 32n);
    keyHash.low = Number(explicit & 0xffff_ffffn);
    return table.ofHash(keyHash);
  }
  if (keyBytes < 0) return table.inTurn();
  records.hashKey(index, keyHash);
  return table.ofHash(keyHash);
}

function namedPartition(stream: Stream, text: string): Partition | DomainError {
  let number: number;
  try {
    number = parsePartitionId(text);
  } catch (error) {
    return error as DomainError;
  }
  const partition = stream.partitions[number];
  if (partition === undefined) return new DomainError('PartitionNotFound', [stream.name, text]);
  if (partition.status !== 'ACTIVE')
    return new DomainError('PartitionExpired', [stream.name, stream.projectId, partition.id]);
  return partition;
}

/** Undefined when the text is not a number in 0 … 2^63-1: then the key counts, as in the Java client. */
function parseHash(text: string): bigint | undefined {
  if (!/^\d{1,19}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > LARGEST_HASH ? undefined : value;
}
