/**
 * Put: gives each record of a request its partition and hands the request to the record log as one append.
 *
 * What one record has wrong is that record's error; the others are stored. The payloads are decoded straight into one
 * buffer, partition by partition, in the form in which they are stored and served: there is no object per record.
 */
import { base64Bytes, decodeBase64 } from '../codec/base64.ts';
import type { PutOutcomes } from '../codec/records-json.ts';
import { DomainError } from '../model/errors.ts';
import { hashKey, type KeyHash } from '../model/key-hash.ts';
import type { Limits } from '../model/limits.ts';
import { parsePartitionId } from '../model/partition-id.ts';
import { PartitionTable } from '../model/partition-table.ts';
import { frameBytes, writeFrameHead } from '../model/record-batch.ts';
import type { Partition, Stream } from '../model/stream.ts';
import type { AppendBatch, AppendOutcome, RecordLog } from '../recordlog/record-log.ts';
import type { BufferPool } from '../platform/buffer-pool.ts';
import type { Throttle } from './throttle.ts';

/** A record as it came: `""`, null and absent mean the same. */
export interface PutRecord {
  /** Base64. */
  readonly data: string;
  readonly partition_id?: string | null;
  readonly partition_key?: string | null;
  readonly explicit_hash_key?: string | null;
  /** The producer's own time in ms. */
  readonly timestamp?: number | null;
}

export interface PutOptions {
  readonly recordLog: RecordLog;
  readonly limits: Limits;
  /** Where the payloads of a request are put together. */
  readonly buffers: BufferPool;
  /** Present when the cloud service's throughput is to be imitated. */
  readonly throttle: Throttle | undefined;
}

const LONGEST_KEY_BYTES = 0xffff;
const LARGEST_HASH = 2n ** 63n - 1n;
const tables = new WeakMap<Stream, PartitionTable>();

/**
 * Stores the records of a request. Throws RequestTooLarge when there are too many records or bytes, and the log's own refusal
 * (DiskFull, LogReadOnly, ShuttingDown, TooManyRequests) when it took none of them.
 */
export async function putRecords(
  options: PutOptions,
  stream: Stream,
  records: readonly PutRecord[],
): Promise<PutOutcomes> {
  const { recordLog, limits } = options;
  if (records.length === 0) throw new DomainError('EmptyRequest', ['records']);
  if (records.length > limits.put_records)
    throw new DomainError('RequestTooLarge', ['records', records.length, limits.put_records]);

  const request = new Request(stream, records);
  request.choosePartitions(options);
  const buffer = options.buffers.take(request.bytes);
  const batches = request.encode(buffer);
  if (batches.length > 0) request.settle(await recordLog.append(batches), batches);
  // Not in a `finally`: after a failure nobody can say who still holds it.
  options.buffers.give(buffer);
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
  first: number;
}

class Request {
  readonly #records: readonly PutRecord[];
  readonly #table: PartitionTable;
  readonly #stream: Stream;
  readonly #shares = new Map<Partition, Share>();
  readonly #shareOf: (Share | undefined)[];
  readonly #keyBytes: Int32Array;
  readonly #sequences: Float64Array;
  readonly #errors: (DomainError | undefined)[];
  #failed = 0;

  constructor(stream: Stream, records: readonly PutRecord[]) {
    this.#stream = stream;
    this.#records = records;
    let table = tables.get(stream);
    if (table === undefined) tables.set(stream, (table = new PartitionTable(stream)));
    this.#table = table;
    this.#shareOf = new Array<Share | undefined>(records.length).fill(undefined);
    this.#errors = new Array<DomainError | undefined>(records.length).fill(undefined);
    this.#keyBytes = new Int32Array(records.length);
    this.#sequences = new Float64Array(records.length);
  }

  /** Checks each record and adds up what each partition will take. */
  choosePartitions({ limits, throttle }: PutOptions): void {
    let total = 0;
    this.#records.forEach((record, index) => {
      const dataBytes = base64Bytes(record.data);
      if (dataBytes > 0) total += dataBytes;
      const error = checkData(dataBytes, limits);
      if (error !== undefined) return this.#refuse(index, error);
      const partition = choosePartition(this.#stream, this.#table, record);
      if (partition instanceof DomainError) return this.#refuse(index, partition);
      // A record addressed by partition id is served without its key, as the documents say.
      const key = keyOf(record);
      const keyBytes = key === undefined ? -1 : Buffer.byteLength(key);
      if (keyBytes > LONGEST_KEY_BYTES)
        return this.#refuse(index, new DomainError('InvalidRecord', ['partition_key is too long']));
      if (throttle?.admitWrite(this.#stream, partition, dataBytes) === false) {
        return this.#refuse(index, new DomainError('TrafficLimit', [this.#stream.name, partition.id]));
      }
      this.#keyBytes[index] = keyBytes;
      const share = this.#share(partition);
      share.bytes += frameBytes(dataBytes, keyBytes < 0 ? undefined : keyBytes, typeof record.timestamp === 'number');
      this.#shareOf[index] = share;
    });
    if (total > limits.put_bytes)
      throw new DomainError('RequestTooLarge', ['bytes of records', total, limits.put_bytes]);
  }

  /** Room that `encode` needs. */
  get bytes(): number {
    let total = 0;
    for (const { bytes } of this.#shares.values()) total += bytes;
    return total;
  }

  /** Decodes the payloads into `buffer` and cuts it into one batch a partition. */
  encode(buffer: Buffer): AppendBatch[] {
    let start = 0;
    for (const share of this.#shares.values()) {
      share.start = share.at = start;
      start += share.bytes;
    }
    this.#records.forEach((record, index) => {
      const share = this.#shareOf[index];
      if (share === undefined) return;
      const dataBytes = base64Bytes(record.data);
      const dataAt = writeFrameHead(
        buffer,
        share.at,
        dataBytes,
        keyOf(record),
        this.#keyBytes[index]!,
        record.timestamp ?? undefined,
      );
      const written = decodeBase64(record.data, buffer, dataAt);
      if (written <= 0) return this.#refuse(index, new DomainError('InvalidRecord', ['data is not Base64']));
      // White space made the text longer than its payload.
      if (written < dataBytes) buffer.writeUInt32LE(written, share.at + 1);
      share.at = dataAt + written;
      this.#sequences[index] = share.count;
      share.count += 1;
    });
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
    const [firstError] = refused.values();
    if (firstError !== undefined && refused.size === batches.length) throw firstError;
    this.#shareOf.forEach((share, index) => {
      if (share === undefined) return;
      const error = refused.get(share);
      if (error !== undefined) this.#refuse(index, error);
      else this.#sequences[index]! += share.first;
    });
  }

  result(): PutOutcomes {
    const partitions = this.#shareOf.map((share) => share?.partition);
    return { failed: this.#failed, partitions, sequences: this.#sequences, errors: this.#errors };
  }

  #share(partition: Partition): Share {
    let share = this.#shares.get(partition);
    if (share === undefined) {
      share = { partition, bytes: 0, at: 0, start: 0, count: 0, first: 0 };
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

/** The key that is stored and served: none when the record names its partition. */
function keyOf({ partition_id, partition_key }: PutRecord): string | undefined {
  return partition_id || !partition_key ? undefined : partition_key;
}

const keyHash: KeyHash = { high: 0, low: 0 };

/** partition_id > explicit_hash_key > partition_key > in turn. */
function choosePartition(stream: Stream, table: PartitionTable, record: PutRecord): Partition | DomainError {
  if (record.partition_id) return namedPartition(stream, record.partition_id);
  const explicit = record.explicit_hash_key ? parseHash(record.explicit_hash_key) : undefined;
  if (explicit !== undefined) {
    keyHash.high = Number(explicit >> 32n);
    keyHash.low = Number(explicit & 0xffff_ffffn);
    return table.ofHash(keyHash);
  }
  if (!record.partition_key) return table.inTurn();
  hashKey(record.partition_key, keyHash);
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
