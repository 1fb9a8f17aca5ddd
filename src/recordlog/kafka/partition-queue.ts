/**
 * What waits to be appended to one partition, and the batch of it that is under way. There is one batch at a time: its
 * order is that of the numbers, and what happens to it is known before the next one leaves.
 *
 * A batch whose fate is not known (its answer was lost) is sent again exactly as it was, under the same sequence, so
 * that a broker which has it does not store it twice. When it is given up, the partition goes on under the next epoch:
 * from the first batch of that one on, brokers refuse what may still be on its way of the old one.
 */
import type { AppendBatch, AppendOutcome } from '../record-log.ts';
import type { BatchIdentity } from './encode-batch.ts';
import { Fifo } from './fifo.ts';

/** A batch grows to this size: one read of a few records costs at most this much. */
const BATCH_BYTES = 1024 * 1024;
const LAST_EPOCH = 32_767;
const SEQUENCES = 2 ** 31;

/** One batch of a request while it waits for its outcome. */
export interface PendingAppend {
  readonly batch: AppendBatch;
  readonly queue: PartitionQueue;
  /** When it is given up, on the monotonic clock. */
  readonly deadline: number;
  /** Tells the caller; `batch.frames` must not be looked at any more. */
  readonly settle: (outcome: AppendOutcome) => void;
  settled: boolean;
  /** Travels in a batch of its own, because it was in one that was too large. */
  alone: boolean;
}

/** Appends that travel together. */
export interface SentBatch {
  readonly appends: readonly PendingAppend[];
  readonly count: number;
  /** The encoded batch, a part of `buffer`. */
  readonly bytes: Buffer;
  readonly buffer: Buffer;
  /** It is on its way to a broker now. */
  sent: boolean;
  /** It was sent at least once without a word of what became of it. */
  uncertain: boolean;
}

export class PartitionQueue {
  readonly stream: number;
  readonly topic: string;
  readonly partition: number;
  readonly #waiting = new Fifo<PendingAppend>();
  batch: SentBatch | undefined;
  /** Failures in a row, for the pause before the next try. */
  failures = 0;
  /** What the last failure was. */
  trouble = '';
  /** Somebody waited in vain, and nothing has been stored since. */
  broken = false;
  /** Since when the topic is said not to exist, on the monotonic clock. */
  missingSince: number | undefined;
  #identity: { readonly producerId: bigint; epoch: number; sequence: number } | undefined;

  constructor(stream: number, topic: string, partition: number) {
    this.stream = stream;
    this.topic = topic;
    this.partition = partition;
  }

  push(append: PendingAppend): void {
    this.#waiting.push(append);
  }

  get isEmpty(): boolean {
    return this.batch === undefined && this.#peek() === undefined;
  }

  /** What the next batch is made of; at least one append, unless nothing waits. */
  takeAppends(): PendingAppend[] {
    const taken: PendingAppend[] = [];
    let bytes = 0;
    for (let append = this.#peek(); append !== undefined; append = this.#peek()) {
      bytes += append.batch.frames.length;
      if (taken.length > 0 && (bytes > BATCH_BYTES || append.alone || taken[0]!.alone)) break;
      taken.push(append);
      this.#waiting.shift();
    }
    return taken;
  }

  /** Puts appends back to the front, in their order. */
  putBack(appends: readonly PendingAppend[]): void {
    this.#waiting.putBack(appends);
  }

  /** Everything that waits; nothing does afterwards. */
  takeAll(): PendingAppend[] {
    const all: PendingAppend[] = [];
    for (let append = this.#peek(); append !== undefined; append = this.#peek()) {
      all.push(append);
      this.#waiting.shift();
    }
    return all;
  }

  /** Undefined until the partition is given a producer id. */
  get identity(): BatchIdentity | undefined {
    return this.#identity;
  }

  identify(producerId: bigint): void {
    this.#identity = { producerId, epoch: 0, sequence: 0 };
  }

  /** Records were stored under the present identity. */
  advance(count: number): void {
    const identity = this.#identity!;
    identity.sequence = (identity.sequence + count) % SEQUENCES;
  }

  /** Whatever was sent before is over. False when that was the last epoch: another producer id is needed. */
  nextEpoch(): boolean {
    const identity = this.#identity;
    if (identity === undefined || identity.epoch === LAST_EPOCH) {
      this.#identity = undefined;
      return false;
    }
    this.#identity = { producerId: identity.producerId, epoch: identity.epoch + 1, sequence: 0 };
    return true;
  }

  /** The oldest append that still waits. */
  #peek(): PendingAppend | undefined {
    let append = this.#waiting.peek();
    while (append?.settled === true) {
      this.#waiting.shift();
      append = this.#waiting.peek();
    }
    return append;
  }
}
