/**
 * What the log keeps in memory of one partition: its numbers and its extents, oldest first. Holds no file and no lock;
 * it only ever changes between two awaits of its owner.
 */
import type { PartitionRef } from '../../model/stream.ts';
import { partitionPoint } from './block-list.ts';
import type { Extent } from './segment.ts';

export class PartitionLog {
  readonly ref: PartitionRef;
  /** The next number to be given; everything below it is durable. */
  next = 0;
  /** Newest arrival time: times never go back. */
  time = 0;
  /** In ascending order; ranges do not overlap. */
  extents: Extent[] = [];
  #first = 0;

  constructor(ref: PartitionRef) {
    this.ref = ref;
  }

  /** The oldest record that is wanted: everything below it was given up. */
  get first(): number {
    return this.#first;
  }

  /** Gives up what lies below `before` (at most `next`); returns the extents that nobody needs any more. */
  trim(before: number): Extent[] {
    this.#first = Math.max(this.#first, Math.min(before, this.next));
    const keep = partitionPoint(this.extents.length, (index) => this.extents[index]!.next <= this.#first);
    return this.extents.splice(0, keep);
  }

  /** Index of the extent that holds `sequence`, or of the last one before it; -1 when all lie after it. */
  extentIndex(sequence: number): number {
    return partitionPoint(this.extents.length, (index) => this.extents[index]!.first <= sequence) - 1;
  }

  /** Index of the first extent with a record that arrived at or after `time`; `extents.length` when there is none. */
  extentIndexOfTime(time: number): number {
    return partitionPoint(this.extents.length, (index) => this.extents[index]!.maxTime < time);
  }

  /** Puts `replacement` where `extent` is; false when it is not there any more. */
  replace(extent: Extent, replacement: Extent): boolean {
    const index = this.extents.indexOf(extent);
    if (index < 0) return false;
    this.extents[index] = replacement;
    return true;
  }
}

/** All partitions that the log knows. Two levels, so that the hot path builds no key. */
export class PartitionMap {
  readonly #streams = new Map<number, PartitionLog[]>();

  add(ref: PartitionRef): PartitionLog {
    let partitions = this.#streams.get(ref.stream);
    if (partitions === undefined) this.#streams.set(ref.stream, (partitions = []));
    return (partitions[ref.partition] ??= new PartitionLog({ stream: ref.stream, partition: ref.partition }));
  }

  get(ref: PartitionRef): PartitionLog | undefined {
    return this.#streams.get(ref.stream)?.[ref.partition];
  }

  hasStream(stream: number): boolean {
    return this.#streams.has(stream);
  }

  /** Forgets a stream; returns its partitions. */
  removeStream(stream: number): PartitionLog[] {
    const partitions = this.#streams.get(stream) ?? [];
    this.#streams.delete(stream);
    return partitions.filter((partition) => partition !== undefined);
  }

  *[Symbol.iterator](): Generator<PartitionLog> {
    for (const partitions of this.#streams.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition;
    }
  }
}
