/**
 * The record log on Kafka: a topic for each stream, a Kafka partition for each of its partitions, offsets as sequence
 * numbers, and the time at which the leader took a batch as its arrival time. Every node of a cluster opens it alike;
 * nothing of the records is kept on the node.
 *
 * An append is acknowledged once every replica in sync has it, at least `min_insync_replicas` of them. While no broker
 * answers, calls are refused at once with LogUnavailable; it recovers by itself.
 */
import type { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import type {
  AppendBatch,
  AppendOutcome,
  Extent,
  PartitionBounds,
  ReadOptions,
  RecordBlock,
  RecordLog,
} from '../record-log.ts';
import { Appender } from './appender.ts';
import { Brokers, type Lane } from './brokers.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { Leaders } from './leaders.ts';
import { measure } from './measure.ts';
import { Offsets } from './offsets.ts';
import { ProducerId } from './producer-id.ts';
import { Reader } from './reader.ts';
import { bootstrapOf, saslOf, tlsOf } from './security.ts';
import { Sizes } from './sizes.ts';
import { Topics } from './topics.ts';
import { Topology } from './topology.ts';

const CLIENT_ID = 'sluice';

export interface KafkaLogOptions {
  /** `brokers` must be set. */
  readonly settings: KafkaSettings;
  readonly clock: Clock;
  /** Numbers of streams that were deleted: topics of theirs that are left are deleted. */
  readonly deletedStreams: Iterable<number>;
  /** Told how many ms a request with a group of appends took. */
  readonly onSynced?: (ms: number) => void;
  /** What an operator should know. */
  readonly report: (level: 'warn' | 'error', message: string, error?: unknown) => void;
}

/**
 * Opens the log. Rejects when a file of `settings` cannot be read, and with LogUnavailable when no broker answers within
 * `timeout_ms`.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<RecordLog> {
  const { settings, clock, report } = options;
  const timeoutMs = settings.timeout_ms;
  // One answer that is lost leaves time for another try; asking around must not take all of it.
  const answerMs = timeoutMs / 2;
  const askMs = Math.max(500, timeoutMs / 5);
  const answerTimeoutMs: Record<Lane, number> = { append: answerMs, read: answerMs, ask: askMs, change: timeoutMs };
  const brokers = new Brokers({
    clientId: CLIENT_ID,
    sasl: saslOf(settings),
    tls: await tlsOf(settings),
    connectTimeoutMs: askMs,
    answerTimeoutMs,
  });
  const topicOf = (stream: number) => `${settings.topic_prefix}${stream}`;
  const deleted = new Set(options.deletedStreams);
  const isDeleted = (stream: number) => deleted.has(stream);
  const topology = new Topology({ brokers, bootstrap: bootstrapOf(settings), clock, report });
  const leaders = new Leaders({ topology, clock, topicOf, isDeleted, timeoutMs });
  const offsets = new Offsets(brokers, leaders);
  const producerId = new ProducerId(brokers, topology, (message, error) => report('warn', message, error));
  const sizes = new Sizes();
  const learn = ({ stream, partition }: PartitionRef, first: number, count: number, bytes: number) =>
    sizes.learn(`${stream}/${partition}`, first, first + count, bytes);
  const log = new KafkaLog({
    deleted,
    brokers,
    topology,
    producerId,
    offsets,
    sizes,
    topics: new Topics({
      brokers,
      topology,
      leaders,
      clock,
      replicationFactor: settings.replication_factor,
      minInsyncReplicas: settings.min_insync_replicas,
      timeoutMs: answerMs,
      report,
    }),
    reader: new Reader({
      brokers,
      leaders,
      offsets,
      onRead: (ref, { firstSequence, count, frames }) => learn(ref, firstSequence, count, frames.length),
      report: (message) => report('error', message),
    }),
    appender: new Appender({
      brokers,
      topology,
      producerId,
      clock,
      topicOf,
      isDeleted,
      timeoutMs,
      replicationMs: Math.floor(answerMs * 0.8),
      maxPendingBytes: settings.max_pending_bytes,
      onSynced: options.onSynced ?? (() => undefined),
      onStored: (ref, first, { count, frames }) => learn(ref, first, count, frames.length),
      report,
    }),
  });
  try {
    const known = async () => {
      await topology.refresh([...deleted].map(topicOf));
      return true;
    };
    // The brokers may be starting at the same time as we are.
    await leaders.ask([], known, { patient: true });
    await Promise.all(
      [...deleted]
        .filter((stream) => topology.partitions(topicOf(stream)) !== undefined)
        .map((stream) => log.deleteStream(stream)),
    );
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

interface Parts {
  readonly deleted: Set<number>;
  readonly brokers: Brokers;
  readonly topology: Topology;
  readonly producerId: ProducerId;
  readonly offsets: Offsets;
  readonly sizes: Sizes;
  readonly topics: Topics;
  readonly reader: Reader;
  readonly appender: Appender;
}

class KafkaLog implements RecordLog {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get failure(): DomainError | undefined {
    return this.#parts.appender.failure;
  }

  addPartitions(refs: readonly PartitionRef[]): Promise<void> {
    return this.#parts.topics.add(refs);
  }

  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    return this.#parts.appender.append(batches);
  }

  bounds(ref: PartitionRef): Promise<PartitionBounds> {
    return this.#parts.offsets.bounds(ref);
  }

  boundsOf(refs: readonly PartitionRef[]): Promise<(PartitionBounds | undefined)[]> {
    return this.#parts.offsets.boundsOf(refs);
  }

  read(ref: PartitionRef, from: number, maxBytes: number, options?: ReadOptions): Promise<RecordBlock[]> {
    return this.#parts.reader.read(ref, from, maxBytes, options);
  }

  arrivalTime(ref: PartitionRef, sequence: number): Promise<number | undefined> {
    return this.#parts.reader.arrivalTime(ref, sequence);
  }

  seek(ref: PartitionRef, time: number): Promise<number> {
    return this.#parts.offsets.seek(ref, time);
  }

  async measure(ref: PartitionRef, from: number, maxBytes: number): Promise<Extent> {
    const { sizes, reader, offsets } = this.#parts;
    const sample = (of: PartitionRef, at: number, bytes: number) => reader.read(of, at, bytes);
    return measure({ sizes, sample }, ref, from, maxBytes, await offsets.bounds(ref));
  }

  async trim(ref: PartitionRef, before: number): Promise<void> {
    const { next } = await this.#parts.offsets.bounds(ref);
    await this.#parts.topics.trim(ref, before, next);
  }

  keepFor(stream: number, ms: number | undefined): Promise<void> {
    return this.#parts.topics.keepFor(stream, ms);
  }

  async deleteStream(stream: number): Promise<void> {
    const { deleted, appender, sizes, topics } = this.#parts;
    deleted.add(stream);
    appender.dropStream(stream);
    sizes.forgetStream(stream);
    await topics.delete(stream);
  }

  async close(): Promise<void> {
    const { appender, topics, topology, producerId, brokers } = this.#parts;
    await appender.close();
    producerId.close();
    topics.close();
    topology.close();
    await brokers.close();
  }
}
