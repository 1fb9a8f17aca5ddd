/**
 * The writing end of the log: appends of all requests, gathered into one batch a partition and one request a broker.
 *
 * While a batch of a partition is under way the next one gathers, and likewise for the requests to a broker: the busier
 * it is, the more travel together. Nothing is answered before every replica in sync has it. What a broker refuses for
 * now is tried again, with its place kept, until each append's own deadline:
 *   - never sent, or refused before it was stored: LogUnavailable;
 *   - sent without a word of what became of it: OutcomeUnknown.
 */
import { setImmediate } from 'node:timers/promises';
import { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import { BufferPool } from '../../platform/buffer-pool.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import type { AppendBatch, AppendOutcome } from '../record-log.ts';
import { NotSent, reasonOf, type Brokers } from './brokers.ts';
import { encodeBatch, encodedBound } from './encode-batch.ts';
import { CODE, codeName, isPassing } from './error-codes.ts';
import { Fifo } from './fifo.ts';
import { PartitionQueue, type PendingAppend } from './partition-queue.ts';
import type { ProducerId } from './producer-id.ts';
import { produce, type ProduceOutcome } from './requests.ts';
import type { Topology } from './topology.ts';

/** Requests under way to one broker: it handles one while the next is on the wire. */
const REQUESTS_PER_BROKER = 2;
/** A request grows to this size. */
const REQUEST_BYTES = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
/** A topic that was made a moment ago is not known to every broker yet. */
const MISSING_MS = 1000;

export interface AppenderOptions {
  readonly brokers: Brokers;
  readonly topology: Topology;
  readonly producerId: ProducerId;
  readonly clock: Clock;
  readonly topicOf: (stream: number) => string;
  readonly isDeleted: (stream: number) => boolean;
  /** From the append to its outcome, in ms. */
  readonly timeoutMs: number;
  /** How long a broker may wait for its replicas, in ms. */
  readonly replicationMs: number;
  readonly maxPendingBytes: number;
  /** A request was answered: how many ms that took. */
  readonly onSynced: (ms: number) => void;
  readonly onStored: (ref: PartitionRef, first: number, batch: AppendBatch) => void;
  readonly report: (level: 'warn' | 'error', message: string, error?: unknown) => void;
}

export class Appender {
  readonly #options: AppenderOptions;
  readonly #queues = new Map<string, PartitionQueue>();
  /** Those with something to send, and nothing under way. */
  readonly #ready = new Set<PartitionQueue>();
  readonly #underWay = new Map<number, number>();
  readonly #deadlines = new Fifo<PendingAppend>();
  readonly #buffers: BufferPool;
  #timer: Timer | undefined;
  #pendingBytes = 0;
  #pendingAppends = 0;
  #pumping: Promise<void> | undefined;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#buffers = new BufferPool(options.maxPendingBytes);
  }

  get failure(): DomainError | undefined {
    return this.#closed ? new DomainError('ShuttingDown') : this.#options.topology.failure;
  }

  /** See RecordLog.append. */
  async append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    const bytes = batches.reduce((sum, { frames }) => sum + frames.length, 0);
    const full = this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#options.maxPendingBytes;
    const refusal = this.failure ?? (full ? new DomainError('TooManyRequests') : undefined);
    if (refusal !== undefined) return batches.map(() => ({ error: refusal }));
    return Promise.all(batches.map((batch) => this.#appendOne(batch)));
  }

  /** Everything that waits for these partitions ends with StreamNotFound. */
  dropStream(stream: number): void {
    for (const [key, queue] of this.#queues) {
      if (queue.stream !== stream) continue;
      this.#queues.delete(key);
      this.#refuse(queue, new DomainError('StreamNotFound', [stream]));
    }
  }

  /** Waits for what is under way, for as long as its deadline at the most; refuses what comes. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pendingAppends > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    this.#timer?.cancel();
  }

  #appendOne(batch: AppendBatch): Promise<AppendOutcome> {
    const { stream } = batch.ref;
    if (this.#options.isDeleted(stream)) return Promise.resolve({ error: new DomainError('StreamNotFound', [stream]) });
    const queue = this.#queue(batch.ref);
    // One at a time finds out whether the partition has recovered; the others need not wait for that.
    if (queue.broken && !queue.isEmpty) return Promise.resolve({ error: unavailable(queue) });
    return new Promise((resolve) => {
      const deadline = this.#options.clock.monotonic() + this.#options.timeoutMs;
      const append = { batch, queue, deadline, settle: resolve, settled: false, alone: false };
      this.#pendingBytes += batch.frames.length;
      this.#pendingAppends += 1;
      this.#deadlines.push(append);
      this.#arm();
      queue.push(append);
      if (queue.batch === undefined && queue.failures === 0) this.#makeReady(queue);
    });
  }

  #queue({ stream, partition }: PartitionRef): PartitionQueue {
    const key = `${stream}/${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new PartitionQueue(stream, this.#options.topicOf(stream), partition);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #makeReady(queue: PartitionQueue): void {
    this.#ready.add(queue);
    this.#wake();
  }

  #wake(): void {
    this.#pumping ??= this.#pump().catch((error: unknown) => {
      this.#pumping = undefined;
      this.#options.report('error', 'appends cannot be sent', error);
    });
  }

  async #pump(): Promise<void> {
    // Whatever has arrived on other connections by now travels with the first: their bytes are read within this turn.
    await setImmediate();
    const { producerId } = this.#options;
    if (producerId.value === undefined) await producerId.acquire();
    this.#pumping = undefined;
    if (producerId.value === undefined) return;
    const requests = new Map<number, { queues: PartitionQueue[]; bytes: number }>();
    for (const queue of this.#ready) {
      if (queue.isEmpty || queue.batch?.sent === true) {
        this.#ready.delete(queue);
        continue;
      }
      const leader = this.#options.topology.leader(queue.topic, queue.partition);
      if (leader === undefined) {
        this.#ready.delete(queue);
        this.#retry(queue, 'no leader');
        continue;
      }
      if ((this.#underWay.get(leader) ?? 0) >= REQUESTS_PER_BROKER) continue;
      let request = requests.get(leader);
      if (request === undefined) requests.set(leader, (request = { queues: [], bytes: 0 }));
      if (request.bytes >= REQUEST_BYTES) continue;
      if (!this.#prepare(queue)) continue;
      this.#ready.delete(queue);
      request.queues.push(queue);
      request.bytes += queue.batch!.bytes.length;
    }
    for (const [leader, { queues }] of requests) {
      if (queues.length > 0) this.#send(leader, queues).catch((error: unknown) => this.#onBug(queues, error));
    }
  }

  /** Makes the batch that is sent next, unless one must be sent again. False when there is nothing to send. */
  #prepare(queue: PartitionQueue): boolean {
    if (queue.batch !== undefined) return true;
    const appends = queue.takeAppends();
    if (appends.length === 0) return false;
    if (queue.identity === undefined) queue.identify(this.#options.producerId.value!);
    const runs = appends.map(({ batch }) => batch);
    const buffer = this.#buffers.take(encodedBound(runs));
    const bytes = encodeBatch(buffer, runs, queue.identity!, this.#options.clock.now());
    const count = runs.reduce((sum, run) => sum + run.count, 0);
    queue.batch = { appends, count, bytes, buffer, sent: false, uncertain: false };
    return true;
  }

  async #send(broker: number, queues: readonly PartitionQueue[]): Promise<void> {
    const { brokers, topology, clock, replicationMs } = this.#options;
    const parts = queues.map((queue) => {
      queue.batch!.sent = true;
      return { topic: queue.topic, partition: queue.partition, batch: queue.batch!.bytes };
    });
    this.#underWay.set(broker, (this.#underWay.get(broker) ?? 0) + 1);
    const sentAt = clock.monotonic();
    let outcomes: ProduceOutcome[] = [];
    let failure: Error | undefined;
    try {
      const address = topology.address(broker);
      if (address === undefined) throw new NotSent('the broker is gone');
      outcomes = await brokers.call(address, 'append', produce, parts, replicationMs);
      this.#options.onSynced(clock.monotonic() - sentAt);
    } catch (error) {
      failure = error as Error;
    } finally {
      this.#underWay.set(broker, this.#underWay.get(broker)! - 1);
    }
    const byPartition = new Map(outcomes.map((outcome) => [`${outcome.topic}/${outcome.partition}`, outcome]));
    for (const queue of queues) {
      queue.batch!.sent = false;
      const outcome = byPartition.get(`${queue.topic}/${queue.partition}`);
      if (outcome !== undefined) this.#finish(queue, outcome);
      else {
        if (!(failure instanceof NotSent)) queue.batch!.uncertain = true;
        this.#retry(queue, failure === undefined ? 'no answer' : reasonOf(failure));
      }
    }
    this.#wake();
  }

  #finish(queue: PartitionQueue, { code, base, time }: ProduceOutcome): void {
    const batch = queue.batch!;
    switch (code) {
      case CODE.NONE:
        return this.#stored(queue, base, time);
      case CODE.MESSAGE_TOO_LARGE:
      case CODE.RECORD_LIST_TOO_LARGE:
        if (batch.uncertain) this.#giveUp(queue, new DomainError('OutcomeUnknown'));
        else if (batch.appends.length === 1) this.#giveUp(queue, tooLarge());
        else {
          for (const append of batch.appends) append.alone = true;
          this.#takeBack(queue);
        }
        return this.#proceed(queue);
      case CODE.NOT_ENOUGH_REPLICAS:
        return this.#retry(queue, codeName(code));
      case CODE.OUT_OF_ORDER_SEQUENCE_NUMBER:
      case CODE.INVALID_PRODUCER_EPOCH:
      case CODE.UNKNOWN_PRODUCER_ID:
        return this.#startOver(queue, code);
      default:
        // Also a leader that is none any more may have stored the batch before it found out.
        batch.uncertain = true;
        if (isPassing(code) || code === CODE.UNKNOWN_TOPIC_OR_PARTITION) return this.#retry(queue, codeName(code));
        this.#options.report('error', `${queue.topic}/${queue.partition}: brokers refuse records: ${codeName(code)}`);
        this.#giveUp(queue, new DomainError('OutcomeUnknown', [codeName(code)]));
        return this.#proceed(queue);
    }
  }

  #stored(queue: PartitionQueue, base: number, time: number): void {
    const { appends, count } = queue.batch!;
    queue.advance(count);
    queue.broken = false;
    queue.missingSince = undefined;
    let first = base;
    const arrival = time < 0 ? this.#options.clock.now() : time;
    for (const append of appends) {
      const { batch } = append;
      if (!append.settled) this.#options.onStored(batch.ref, first, batch);
      this.#settle(append, { firstSequence: first, time: arrival });
      first += batch.count;
    }
    this.#endBatch(queue);
    this.#proceed(queue);
  }

  /** The broker has said what became of the batch: the next one may go. */
  #proceed(queue: PartitionQueue): void {
    queue.failures = 0;
    if (!queue.isEmpty) this.#makeReady(queue);
  }

  /**
   * The broker does not know what came before this batch: it has lost records that it had acknowledged, or has
   * forgotten the producer. This batch it did not store, or it would have known that; so it is sent anew.
   */
  #startOver(queue: PartitionQueue, code: number): void {
    const batch = queue.batch!;
    const place = `${queue.topic}/${queue.partition}`;
    if (code === CODE.UNKNOWN_PRODUCER_ID && batch.uncertain) {
      this.#giveUp(queue, new DomainError('OutcomeUnknown', [codeName(code)]));
      return this.#proceed(queue);
    }
    this.#options.report('error', `${place}: ${codeName(code)}: the broker may have lost records`);
    batch.uncertain = false;
    this.#takeBack(queue);
    this.#nextEpoch(queue);
    this.#retry(queue, codeName(code));
  }

  /** Sends the batch again after a pause in which the leader is asked for anew. */
  #retry(queue: PartitionQueue, trouble: string): void {
    queue.trouble = trouble;
    queue.failures += 1;
    const { batch } = queue;
    if (batch !== undefined && batch.appends.every(({ settled }) => settled)) {
      this.#giveUp(queue, new DomainError('OutcomeUnknown'));
    } else if (batch?.uncertain === false) this.#takeBack(queue);
    if (queue.isEmpty) {
      queue.failures = 0;
      return;
    }
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (queue.failures - 1), LONGEST_PAUSE_MS);
    const { clock, topology } = this.#options;
    const again = () =>
      clock.after(pause, () => {
        if (!queue.isEmpty) this.#makeReady(queue);
        else queue.failures = 0;
      });
    topology.refresh([queue.topic]).then(
      () => {
        if (!this.#isMissing(queue)) again();
        else this.#refuse(queue, new DomainError('StreamNotFound', [queue.stream]));
      },
      (error: unknown) => {
        queue.trouble = reasonOf(error);
        again();
      },
    );
  }

  /** Whether the partition does not exist, and has not done so for a while. */
  #isMissing(queue: PartitionQueue): boolean {
    const now = this.#options.clock.monotonic();
    const exists = queue.partition < (this.#options.topology.partitions(queue.topic) ?? 0);
    queue.missingSince = exists ? undefined : (queue.missingSince ?? now);
    return queue.missingSince !== undefined && now - queue.missingSince >= MISSING_MS;
  }

  /** Ends everything of a queue. */
  #refuse(queue: PartitionQueue, error: DomainError): void {
    queue.failures = 0;
    if (queue.batch?.sent === false) this.#giveUp(queue, error);
    for (const append of queue.takeAll()) {
      this.#settle(append, { error });
      this.#release(append);
    }
  }

  /** Ends the batch. Whatever became of it, what follows does not depend on it. */
  #giveUp(queue: PartitionQueue, error: DomainError): void {
    const { appends, uncertain } = queue.batch!;
    for (const append of appends) this.#settle(append, { error });
    if (uncertain) this.#nextEpoch(queue);
    this.#endBatch(queue);
  }

  /** Undoes the making of a batch that was not stored. */
  #takeBack(queue: PartitionQueue): void {
    const { appends, buffer } = queue.batch!;
    queue.batch = undefined;
    this.#buffers.give(buffer);
    queue.putBack(appends.filter(({ settled }) => !settled));
    for (const append of appends) if (append.settled) this.#release(append);
  }

  #endBatch(queue: PartitionQueue): void {
    const { appends, buffer } = queue.batch!;
    queue.batch = undefined;
    this.#buffers.give(buffer);
    for (const append of appends) this.#release(append);
  }

  #nextEpoch(queue: PartitionQueue): void {
    if (!queue.nextEpoch()) this.#options.producerId.renew();
  }

  #settle(append: PendingAppend, outcome: AppendOutcome): void {
    if (append.settled) return;
    append.settled = true;
    append.settle(outcome);
  }

  /** Its bytes are held no longer. */
  #release({ batch }: PendingAppend): void {
    this.#pendingBytes -= batch.frames.length;
    this.#pendingAppends -= 1;
    if (this.#pendingAppends === 0) this.#drained?.();
  }

  #arm(): void {
    const oldest = this.#deadlines.peek();
    if (this.#timer !== undefined || oldest === undefined) return;
    const { clock } = this.#options;
    this.#timer = clock.after(Math.max(0, oldest.deadline - clock.monotonic()), () => {
      this.#timer = undefined;
      this.#expire();
      this.#arm();
    });
  }

  #expire(): void {
    const now = this.#options.clock.monotonic();
    for (let oldest = this.#deadlines.peek(); oldest !== undefined; oldest = this.#deadlines.peek()) {
      if (!oldest.settled && oldest.deadline > now) return;
      this.#deadlines.shift();
      if (oldest.settled) continue;
      const { queue } = oldest;
      queue.broken = true;
      const travels = queue.batch?.appends.includes(oldest) === true;
      const unknown = travels && (queue.batch!.sent || queue.batch!.uncertain);
      this.#settle(oldest, { error: unknown ? new DomainError('OutcomeUnknown') : unavailable(queue) });
      if (!travels) this.#release(oldest);
    }
  }

  /** Cannot happen; but if it does, nobody shall wait for ever. */
  #onBug(queues: readonly PartitionQueue[], error: unknown): void {
    this.#options.report('error', 'appends failed', error);
    for (const queue of queues) {
      if (queue.batch === undefined) continue;
      queue.batch.sent = false;
      queue.batch.uncertain = true;
      this.#giveUp(queue, new DomainError('OutcomeUnknown', [], error));
      this.#proceed(queue);
    }
  }
}

function tooLarge(): DomainError {
  return new DomainError('RecordTooLarge', ['the brokers take no batch of this size']);
}

function unavailable(queue: PartitionQueue): DomainError {
  return new DomainError('LogUnavailable', queue.trouble === '' ? [] : [queue.trouble]);
}
