/** Where partitions begin and end, and where a time is in them: asked of their leaders, one request a broker. */
import { listOffsetsV7 } from '@platformatic/kafka';
import { DomainError, isDomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { PartitionBounds } from '../record-log.ts';
import type { Address, Brokers } from './brokers.ts';
import { CODE, codeName, isPassing } from './error-codes.ts';
import { Again, type Leaders } from './leaders.ts';

const CONSUMER = -1;
const READ_UNCOMMITTED = 0;
const EARLIEST = -2n;
const LATEST = -1n;
const UNKNOWN_LEADER = -1;

export class Offsets {
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;

  constructor(brokers: Brokers, leaders: Leaders) {
    this.#brokers = brokers;
    this.#leaders = leaders;
  }

  /** See RecordLog.boundsOf. */
  async boundsOf(refs: readonly PartitionRef[]): Promise<(PartitionBounds | undefined)[]> {
    // The end last: what comes meanwhile must not lie beyond it, what expires meanwhile may lie before the beginning.
    const [first, next] = await Promise.all([this.#find(refs, EARLIEST), this.#find(refs, LATEST)]);
    return refs.map((ref) => {
      const bounds = { first: first.get(keyOf(ref)), next: next.get(keyOf(ref)) };
      if (bounds.first === undefined || bounds.next === undefined) return undefined;
      return { first: bounds.first, next: Math.max(bounds.first, bounds.next) };
    });
  }

  /** See RecordLog.bounds. */
  async bounds(ref: PartitionRef): Promise<PartitionBounds> {
    const [bounds] = await this.boundsOf([ref]);
    if (bounds === undefined) throw new DomainError('StreamNotFound', [ref.stream]);
    return bounds;
  }

  /** See RecordLog.seek. */
  async seek(ref: PartitionRef, time: number): Promise<number> {
    const key = keyOf(ref);
    // Negative times mean something else to Kafka.
    const found = (await this.#find([ref], BigInt(Math.max(0, Math.ceil(time))))).get(key);
    if (found === undefined) throw new DomainError('StreamNotFound', [ref.stream]);
    return found >= 0 ? found : (await this.bounds(ref)).next;
  }

  /** The offset of a time in each partition, -1 for none; partitions that there are not are left out. */
  async #find(refs: readonly PartitionRef[], timestamp: bigint): Promise<Map<string, number>> {
    const open = new Map(refs.map((ref) => [keyOf(ref), ref]));
    const found = new Map<string, number>();
    const streams = [...new Set(refs.map(({ stream }) => stream))];
    await this.#leaders.ask(streams, async (waitedMs) => {
      let trouble: Again | undefined;
      const byBroker = new Map<number, { readonly address: Address; readonly refs: PartitionRef[] }>();
      for (const [key, ref] of open) {
        try {
          const leader = this.#leaders.of(ref, waitedMs);
          if (leader instanceof Again) trouble = leader;
          else {
            const group = byBroker.get(leader.broker) ?? { address: leader.address, refs: [] };
            byBroker.set(leader.broker, group);
            group.refs.push(ref);
          }
        } catch (error) {
          if (!isDomainError(error, 'StreamNotFound')) throw error;
          open.delete(key);
        }
      }
      const settled = await Promise.allSettled(
        [...byBroker.values()].map(async (group) => {
          for (const { ref, code, offset } of await this.#list(group.address, group.refs, timestamp)) {
            if (code === CODE.NONE) {
              found.set(keyOf(ref), offset);
              open.delete(keyOf(ref));
            } else if (isPassing(code) || code === CODE.UNKNOWN_TOPIC_OR_PARTITION) trouble = new Again(codeName(code));
            else throw new DomainError('LogUnavailable', [codeName(code)]);
          }
        }),
      );
      for (const each of settled) if (each.status === 'rejected') throw each.reason;
      return trouble;
    });
    return found;
  }

  async #list(
    address: Address,
    refs: readonly PartitionRef[],
    timestamp: bigint,
  ): Promise<{ readonly ref: PartitionRef; readonly code: number; readonly offset: number }[]> {
    const byStream = Map.groupBy(refs, ({ stream }) => stream);
    const streams = new Map([...byStream.keys()].map((stream) => [this.#leaders.topicOf(stream), stream]));
    const topics = [...byStream].map(([stream, ofStream]) => ({
      name: this.#leaders.topicOf(stream),
      partitions: ofStream.map(({ partition: partitionIndex }) => ({
        partitionIndex,
        currentLeaderEpoch: UNKNOWN_LEADER,
        timestamp,
      })),
    }));
    const answer = await this.#brokers.call(address, 'read', listOffsetsV7.api, CONSUMER, READ_UNCOMMITTED, topics);
    return answer.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex: partition, errorCode: code, offset }) => ({
        ref: { stream: streams.get(name)!, partition },
        code,
        offset: Number(offset),
      })),
    );
  }
}

function keyOf({ stream, partition }: PartitionRef): string {
  return `${stream}/${partition}`;
}
