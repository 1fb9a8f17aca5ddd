/**
 * A record log that keeps everything in memory and follows the whole contract of RecordLog, for tests of what is built
 * on one. `damage` makes records unreadable, which no real disk does when it is asked to.
 */
import { DomainError } from '../../src/model/errors.ts';
import { FrameReader } from '../../src/model/record-batch.ts';
import type { PartitionRef } from '../../src/model/stream.ts';
import type { Clock } from '../../src/platform/clock.ts';
import {
  DamagedRecords,
  type AppendBatch,
  type AppendOutcome,
  type Extent,
  type PartitionBounds,
  type ReadOptions,
  type RecordBlock,
  type RecordLog,
} from '../../src/recordlog/record-log.ts';

interface PartitionState {
  blocks: RecordBlock[];
  first: number;
  next: number;
  damaged: { readonly from: number; readonly to: number }[];
}

export class MemoryLog implements RecordLog {
  readonly #clock: Clock;
  readonly #partitions = new Map<string, PartitionState>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async addPartitions(refs: readonly PartitionRef[]): Promise<void> {
    for (const ref of refs) {
      const key = keyOf(ref);
      if (!this.#partitions.has(key)) this.#partitions.set(key, { blocks: [], first: 0, next: 0, damaged: [] });
    }
  }

  async append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    return batches.map(({ ref, count, frames }): AppendOutcome => {
      if (this.#closed) return { error: new DomainError('ShuttingDown') };
      const state = this.#partitions.get(keyOf(ref));
      if (state === undefined) return { error: new DomainError('StreamNotFound', [ref.stream]) };
      // Arrival times never go back, whatever the clock does.
      const time = Math.max(this.#clock.now(), state.blocks.at(-1)?.time ?? 0);
      const firstSequence = state.next;
      state.blocks.push({ firstSequence, count, time, frames: Buffer.from(frames) });
      state.next += count;
      return { firstSequence, time };
    });
  }

  async bounds(ref: PartitionRef): Promise<PartitionBounds> {
    const { first, next } = this.#state(ref);
    return { first, next };
  }

  async boundsOf(refs: readonly PartitionRef[]): Promise<(PartitionBounds | undefined)[]> {
    return refs.map((ref) => {
      const state = this.#partitions.get(keyOf(ref));
      return state === undefined ? undefined : { first: state.first, next: state.next };
    });
  }

  async read(
    ref: PartitionRef,
    from: number,
    maxBytes: number,
    { maxRecords = Infinity, allocate = (size) => Buffer.alloc(size) }: ReadOptions = {},
  ): Promise<RecordBlock[]> {
    const state = this.#state(ref);
    const { first, next, blocks, damaged } = state;
    if (from < first) {
      throw new DomainError('SequenceNumberOutOfRange', [from, ' should be within ', first, ' ', next]);
    }
    const holes = damaged.filter(({ to }) => to > from).sort((a, b) => a.from - b.from);
    const [hole] = holes;
    if (hole !== undefined && hole.from <= from) throw new DamagedRecords(ref, from, hole.to);
    const found: RecordBlock[] = [];
    let bytes = 0;
    for (const block of blocks) {
      const end = Math.min(block.firstSequence + block.count, hole?.from ?? Infinity);
      if (end <= from || end <= block.firstSequence) continue;
      const piece = cut(block, Math.max(from, block.firstSequence), end);
      const frames = allocate(piece.frames.length).subarray(0, piece.frames.length);
      piece.frames.copy(frames);
      found.push({ ...piece, frames });
      bytes += frames.length;
      if (bytes >= maxBytes || end - from >= maxRecords || end === hole?.from) break;
    }
    return found;
  }

  async arrivalTime(ref: PartitionRef, sequence: number): Promise<number | undefined> {
    const { blocks, first, next } = this.#state(ref);
    if (sequence < first || sequence >= next) return undefined;
    return blocks.find(({ firstSequence, count }) => sequence < firstSequence + count)?.time;
  }

  async seek(ref: PartitionRef, time: number): Promise<number> {
    const { blocks, first, next } = this.#state(ref);
    const block = blocks.find((candidate) => candidate.time >= time);
    return Math.max(first, block?.firstSequence ?? next);
  }

  async measure(ref: PartitionRef, from: number, maxBytes: number): Promise<Extent> {
    const { blocks, first, next } = this.#state(ref);
    let bytes = 0;
    for (const block of blocks) {
      const end = block.firstSequence + block.count;
      const start = Math.max(from, first, block.firstSequence);
      if (end <= start) continue;
      bytes += cut(block, start, end).frames.length;
      if (bytes >= maxBytes) return { to: end, bytes };
    }
    return { to: next, bytes };
  }

  async trim(ref: PartitionRef, before: number): Promise<void> {
    const state = this.#state(ref);
    state.first = Math.max(state.first, Math.min(before, state.next));
    state.blocks = state.blocks.filter((block) => block.firstSequence + block.count > state.first);
  }

  async keepFor(): Promise<void> {}

  async deleteStream(stream: number): Promise<void> {
    for (const key of this.#partitions.keys()) if (key.startsWith(`${stream}/`)) this.#partitions.delete(key);
  }

  get failure(): DomainError | undefined {
    return this.#closed ? new DomainError('ShuttingDown') : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Makes the records [from, to) unreadable from now on, as far as they exist. */
  damage(ref: PartitionRef, from: number, to: number): void {
    const state = this.#state(ref);
    const end = Math.min(to, state.next);
    if (from < end) state.damaged.push({ from, to: end });
  }

  #state(ref: PartitionRef): PartitionState {
    const state = this.#partitions.get(keyOf(ref));
    if (state === undefined) throw new DomainError('StreamNotFound', [ref.stream]);
    return state;
  }
}

function keyOf({ stream, partition }: PartitionRef): string {
  return `${stream}/${partition}`;
}

/** The records [from, to) of a block that holds them. */
function cut(block: RecordBlock, from: number, to: number): RecordBlock {
  const reader = new FrameReader(block.frames);
  let start = 0;
  for (let sequence = block.firstSequence; sequence < to && reader.next(); sequence += 1) {
    if (sequence === from) start = reader.frame;
  }
  return { ...block, firstSequence: from, count: to - from, frames: block.frames.subarray(start, reader.end) };
}
