/**
 * The reading end of the log: fetches batches from the leader of a partition, without waiting for more, and makes blocks
 * of them. A fetch is bounded, and so is what is held of it at a time.
 */
import { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import { DamagedRecords, type ReadOptions, type RecordBlock } from '../record-log.ts';
import type { Brokers } from './brokers.ts';
import { decodeBatches, firstBatch } from './decode-batches.ts';
import { CODE, codeName, isPassing } from './error-codes.ts';
import { Again, type Leaders } from './leaders.ts';
import type { Offsets } from './offsets.ts';
import { fetch, type Fetched } from './requests.ts';

/** One fetch; what is beyond takes another. */
const FETCH_BYTES = 4 * 1024 * 1024;
/** What a few records are expected to take at the most; the next fetch takes more when they do not. */
const FEW_BYTES = 64 * 1024;
const EXPECTED_RECORD_BYTES = 2048;

export interface ReaderOptions {
  readonly brokers: Brokers;
  readonly leaders: Leaders;
  readonly offsets: Offsets;
  readonly onRead: (ref: PartitionRef, block: RecordBlock) => void;
  readonly report: (message: string) => void;
}

export class Reader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** See RecordLog.read. */
  async read(
    ref: PartitionRef,
    from: number,
    maxBytes: number,
    { maxRecords = Infinity, allocate = (size) => Buffer.allocUnsafe(size) }: ReadOptions = {},
  ): Promise<RecordBlock[]> {
    const blocks: RecordBlock[] = [];
    let bytes = 0;
    let at = from;
    let size = Math.min(FETCH_BYTES, Math.max(FEW_BYTES, maxRecords * EXPECTED_RECORD_BYTES));
    while (blocks.length === 0 || (bytes < maxBytes && at - from < maxRecords)) {
      const limits = { bytes: maxBytes - bytes, records: maxRecords - (at - from) };
      let piece: { readonly blocks: RecordBlock[]; readonly next: number };
      try {
        piece = await this.#piece(ref, at, Math.min(size, Math.max(limits.bytes, FEW_BYTES)), limits, allocate);
      } catch (error) {
        // What was read is whole; the caller meets the trouble when it asks for what comes next.
        if (blocks.length > 0) break;
        throw error;
      }
      for (const block of piece.blocks) {
        this.#options.onRead(ref, block);
        blocks.push(block);
        bytes += block.frames.length;
        at = block.firstSequence + block.count;
      }
      if (piece.blocks.length === 0 || at >= piece.next) break;
      size = FETCH_BYTES;
    }
    return blocks;
  }

  /** See RecordLog.arrivalTime. The batch of the record is fetched: Kafka has no shorter answer. */
  async arrivalTime(ref: PartitionRef, sequence: number): Promise<number | undefined> {
    const { code, batches } = await this.#fetch(ref, sequence, 1);
    if (code !== CODE.NONE) return undefined;
    return firstBatch(batches)?.time;
  }

  /** Blocks from `at` on and the end of the partition; no blocks only at that end. */
  async #piece(
    ref: PartitionRef,
    at: number,
    size: number,
    limits: { readonly bytes: number; readonly records: number },
    allocate: (size: number) => Buffer,
  ): Promise<{ blocks: RecordBlock[]; next: number }> {
    const { code, next, batches } = await this.#fetch(ref, at, size);
    if (code === CODE.OFFSET_OUT_OF_RANGE) {
      const bounds = await this.#options.offsets.bounds(ref);
      if (at >= bounds.first) return { blocks: [], next: bounds.next };
      throw new DomainError('SequenceNumberOutOfRange', [at, ' should be within ', bounds.first, ' ', bounds.next]);
    }
    const { blocks, hole } = decodeBatches(batches, at, limits, allocate);
    if (blocks.length === 0 && hole !== undefined) {
      const damaged = new DamagedRecords(ref, at, hole.to);
      this.#options.report(`${damaged.message}: ${hole.why}`);
      throw damaged;
    }
    return { blocks, next };
  }

  /** An answer of the leader, OFFSET_OUT_OF_RANGE included. */
  #fetch(ref: PartitionRef, from: number, size: number): Promise<Fetched> {
    const { brokers, leaders } = this.#options;
    return leaders.ask([ref.stream], async (waitedMs) => {
      const leader = leaders.of(ref, waitedMs);
      if (leader instanceof Again) return leader;
      const topic = leaders.topicOf(ref.stream);
      const answer = await brokers.call(leader.address, 'read', fetch, topic, ref.partition, from, size);
      const { code } = answer;
      if (code === CODE.NONE || code === CODE.OFFSET_OUT_OF_RANGE) return answer;
      if (isPassing(code) || code === CODE.UNKNOWN_TOPIC_OR_PARTITION) return new Again(codeName(code));
      throw new DomainError('LogUnavailable', [codeName(code)]);
    });
  }
}
