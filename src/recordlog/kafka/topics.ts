/**
 * The topic of each stream: made, grown, told how long to keep records, cut off at the front, and deleted. Nodes may do
 * the same at the same time: what is there already is as good as made.
 */
import {
  createPartitionsV3,
  createTopicsV7,
  deleteRecordsV2,
  deleteTopicsV6,
  incrementalAlterConfigsV1,
  type NullableString,
} from '@platformatic/kafka';
import { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Brokers } from './brokers.ts';
import { CODE, codeName, isPassing } from './error-codes.ts';
import { Again, type Leaders } from './leaders.ts';
import type { Topology } from './topology.ts';

/** The largest batch a broker shall take: all records of the largest request may go to one partition. */
export const LARGEST_BATCH_BYTES = 16 * 1024 * 1024;
/**
 * A segment goes as a whole once its last record is not wanted any more: shorter ones give space back sooner, longer ones
 * take fewer files. So space comes back up to four hours after its records expired.
 */
const SEGMENT_MS = 4 * 3_600_000;
const SEGMENT_BYTES = 512 * 1024 * 1024;
const FOR_EVER = '-1';
const TOPIC = 2 as const;
const SET = 0 as const;
const RETRY_MS = 5000;

export interface TopicsOptions {
  readonly brokers: Brokers;
  readonly topology: Topology;
  readonly leaders: Leaders;
  readonly clock: Clock;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  readonly timeoutMs: number;
  readonly report: (level: 'warn' | 'error', message: string, error?: unknown) => void;
}

export class Topics {
  readonly #options: TopicsOptions;
  /** What each topic was told last, so that it is told only what is new. */
  readonly #retention = new Map<number, string>();
  readonly #trimmed = new Map<string, number>();
  #closed = false;

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  /** See RecordLog.addPartitions. Resolves once every broker that answers knows the leaders of all partitions. */
  async add(refs: readonly PartitionRef[]): Promise<void> {
    const wanted = new Map<number, number>();
    for (const { stream, partition } of refs) {
      wanted.set(stream, Math.max(wanted.get(stream) ?? 0, partition + 1));
    }
    const { leaders, topology } = this.#options;
    const streams = [...wanted.keys()];
    const counts = new Map([...wanted].map(([stream, count]) => [leaders.topicOf(stream), count]));
    if (counts.size === 0) return;
    let changed = false;
    await leaders.ask(streams, async () => {
      await topology.refresh(counts.keys());
      const lacking = [...counts].filter(([name, count]) => (topology.partitions(name) ?? 0) < count);
      const missing = lacking.filter(([name]) => topology.partitions(name) === undefined);
      const small = lacking.filter(([name]) => topology.partitions(name) !== undefined);
      if (missing.length > 0) await this.#create(missing);
      if (small.length > 0) await this.#grow(small);
      changed ||= lacking.length > 0;
      return changed ? await this.#isKnown(counts) : true;
    });
  }

  /** See RecordLog.keepFor. */
  async keepFor(stream: number, ms: number | undefined): Promise<void> {
    const value = ms === undefined ? FOR_EVER : String(Math.ceil(ms));
    if (this.#retention.get(stream) === value) return;
    const resourceName = this.#options.leaders.topicOf(stream);
    const config = { name: 'retention.ms', configOperation: SET, value } as const;
    await this.#change([stream], async (controller) => {
      const resources = [{ resourceType: TOPIC, resourceName, configs: [config] }];
      const { brokers } = this.#options;
      const answer = await brokers.call(controller, 'change', incrementalAlterConfigsV1.api, resources, false);
      const [outcome] = answer.responses;
      if (outcome?.errorCode === CODE.UNKNOWN_TOPIC_OR_PARTITION) throw new DomainError('StreamNotFound', [stream]);
      return [{ code: outcome?.errorCode ?? CODE.NONE, message: outcome?.errorMessage ?? null }];
    });
    this.#retention.set(stream, value);
  }

  /** See RecordLog.trim. `end` is the number after the last record. */
  async trim(ref: PartitionRef, before: number, end: number): Promise<void> {
    const key = `${ref.stream}/${ref.partition}`;
    const offset = Math.min(before, end);
    if (offset <= (this.#trimmed.get(key) ?? 0)) return;
    const { brokers, leaders, timeoutMs } = this.#options;
    const name = leaders.topicOf(ref.stream);
    await leaders.ask([ref.stream], async (waitedMs) => {
      const leader = leaders.of(ref, waitedMs);
      if (leader instanceof Again) return leader;
      const partitions = [{ partitionIndex: ref.partition, offset: BigInt(offset) }];
      const { address } = leader;
      const answer = await brokers.call(address, 'change', deleteRecordsV2.api, [{ name, partitions }], timeoutMs);
      const code = answer.topics[0]?.partitions[0]?.errorCode ?? CODE.NONE;
      if (code === CODE.NONE) return true;
      // Retention of the topic itself has been there, or a new leader still has to learn where its records end.
      if (code === CODE.OFFSET_OUT_OF_RANGE) return true;
      if (isPassing(code) || code === CODE.UNKNOWN_TOPIC_OR_PARTITION) return new Again(codeName(code));
      throw new DomainError('LogUnavailable', [codeName(code)]);
    });
    this.#trimmed.set(key, offset);
  }

  /** Deletes the topic of a stream, if there is one; goes on trying in the background when it cannot be done now. */
  async delete(stream: number): Promise<void> {
    this.#retention.delete(stream);
    for (const key of this.#trimmed.keys()) if (key.startsWith(`${stream}/`)) this.#trimmed.delete(key);
    const { leaders, topology, brokers, timeoutMs, report, clock } = this.#options;
    const name = leaders.topicOf(stream);
    try {
      await this.#change([stream], async (controller) => {
        const answer = await brokers.call(controller, 'change', deleteTopicsV6.api, [{ name }], timeoutMs);
        return answer.responses.map(({ errorCode, errorMessage: message }) => ({
          code: errorCode === CODE.UNKNOWN_TOPIC_OR_PARTITION ? CODE.NONE : errorCode,
          message,
        }));
      });
      topology.forget(name);
    } catch (error) {
      if (this.#closed) return;
      report('warn', `topic ${name} cannot be deleted now`, error);
      clock.after(RETRY_MS, () => {
        // It does not reject: it comes back here.
        if (!this.#closed) this.delete(stream).catch(() => undefined);
      });
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #create(topics: readonly (readonly [name: string, partitions: number])[]): Promise<void> {
    const { replicationFactor, minInsyncReplicas, timeoutMs, brokers, topology } = this.#options;
    const configs = Object.entries({
      'message.timestamp.type': 'LogAppendTime',
      'min.insync.replicas': minInsyncReplicas,
      'unclean.leader.election.enable': false,
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'retention.ms': FOR_EVER,
      'retention.bytes': FOR_EVER,
      'segment.ms': SEGMENT_MS,
      'segment.bytes': SEGMENT_BYTES,
      'max.message.bytes': LARGEST_BATCH_BYTES,
    }).map(([name, value]) => ({ name, value: String(value) }));
    const wanted = topics.map(([name, numPartitions]) => ({
      name,
      numPartitions,
      replicationFactor,
      assignments: [],
      configs,
    }));
    const { controller } = topology;
    if (controller === undefined) return;
    const answer = await brokers.call(controller, 'change', createTopicsV7.api, wanted, timeoutMs, false);
    for (const { name, errorCode, errorMessage } of answer.topics) {
      if (errorCode !== CODE.TOPIC_ALREADY_EXISTS) refuseUnlessPassing(name, errorCode, errorMessage);
    }
  }

  async #grow(topics: readonly (readonly [name: string, partitions: number])[]): Promise<void> {
    const { timeoutMs, brokers, topology } = this.#options;
    const wanted = topics.map(([name, count]) => ({ name, count, assignments: null }));
    const { controller } = topology;
    if (controller === undefined) return;
    const answer = await brokers.call(controller, 'change', createPartitionsV3.api, wanted, timeoutMs, false);
    for (const { name, errorCode, errorMessage } of answer.results) {
      // Another node was quicker.
      if (errorCode !== CODE.INVALID_PARTITIONS) refuseUnlessPassing(name, errorCode, errorMessage);
    }
  }

  /** Whether all brokers that answer know a leader of every partition. */
  async #isKnown(wanted: ReadonlyMap<string, number>): Promise<true | Again> {
    const { topology } = this.#options;
    const names = new Set(wanted.keys());
    await topology.refresh(names);
    for (const [name, count] of wanted) {
      for (let partition = 0; partition < count; partition += 1) {
        if (topology.leader(name, partition) === undefined) return new Again(`${name} has no leader yet`);
      }
    }
    const answers = await Promise.allSettled(
      [...topology.brokers.values()].map((address) => topology.askOne(address, names)),
    );
    for (const answer of answers) {
      if (answer.status === 'rejected') continue;
      const counts = new Map(answer.value.topics.map(({ name, partitions }) => [name, partitions.length]));
      for (const [name, count] of wanted) {
        if ((counts.get(name) ?? 0) < count) return new Again(`${name} is not known to every broker yet`);
      }
    }
    return true;
  }

  /** Asks the controller until it has done so. */
  async #change(
    streams: readonly number[],
    ask: (controller: { host: string; port: number }) => Promise<{ code: number; message: NullableString }[]>,
  ): Promise<void> {
    const { leaders, topology } = this.#options;
    await leaders.ask(streams, async () => {
      const { controller } = topology;
      if (controller === undefined) return new Again('no broker is known yet');
      for (const { code, message } of await ask(controller)) {
        if (isPassing(code)) return new Again(codeName(code));
        if (code !== CODE.NONE) throw new DomainError('LogUnavailable', [codeName(code), message ?? '']);
      }
      return true;
    });
  }
}

function refuseUnlessPassing(name: string, code: number, message: NullableString): void {
  if (code === CODE.NONE || isPassing(code)) return;
  throw new DomainError('LogUnavailable', [name, codeName(code), message ?? '']);
}
