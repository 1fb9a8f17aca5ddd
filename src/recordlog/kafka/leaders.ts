/**
 * Questions to the leaders of partitions, put again while a leader is being found: whoever asks learns the answer, that
 * the stream is gone (StreamNotFound), or that there was none in time (LogUnavailable).
 */
import { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import { reasonOf, type Address } from './brokers.ts';
import type { Topology } from './topology.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
/** A topic that was made a moment ago is not known to every broker yet. */
const MISSING_MS = 300;

/** Not now: what stands in the way. */
export class Again {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

export interface LeadersOptions {
  readonly topology: Topology;
  readonly clock: Clock;
  readonly topicOf: (stream: number) => string;
  readonly isDeleted: (stream: number) => boolean;
  readonly timeoutMs: number;
}

export class Leaders {
  readonly #options: LeadersOptions;

  constructor(options: LeadersOptions) {
    this.#options = options;
  }

  topicOf(stream: number): string {
    return this.#options.topicOf(stream);
  }

  /** The leader of a partition: Again while there is none. Throws StreamNotFound when there is no such partition. */
  of({ stream, partition }: PartitionRef, waitedMs: number): { broker: number; address: Address } | Again {
    const { topology, isDeleted, topicOf } = this.#options;
    const topic = topicOf(stream);
    const missing = partition >= (topology.partitions(topic) ?? 0);
    if (isDeleted(stream) || (missing && waitedMs >= MISSING_MS)) throw new DomainError('StreamNotFound', [stream]);
    const broker = topology.leader(topic, partition);
    const address = broker === undefined ? undefined : topology.address(broker);
    return address === undefined ? new Again('no leader') : { broker: broker!, address };
  }

  /**
   * The first outcome of `attempt` that is not Again. It is told for how long it has been tried, in ms. A failure other
   * than a DomainError counts as Again. Who is patient goes on asking while no broker can be reached.
   */
  async ask<T>(
    streams: readonly number[],
    attempt: (waitedMs: number) => Promise<T | Again>,
    { patient = false }: { readonly patient?: boolean } = {},
  ): Promise<T> {
    const { topology, clock, timeoutMs, topicOf } = this.#options;
    const start = clock.monotonic();
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const { failure } = topology;
      if (failure !== undefined && !patient) throw failure;
      let trouble: string;
      try {
        const outcome = await attempt(clock.monotonic() - start);
        if (!(outcome instanceof Again)) return outcome;
        trouble = outcome.why;
      } catch (error) {
        if (error instanceof DomainError) throw error;
        trouble = reasonOf(error);
      }
      if (clock.monotonic() - start + pause > timeoutMs) throw new DomainError('LogUnavailable', [trouble]);
      try {
        await topology.refresh(streams.map(topicOf));
        // The first time it may just not have been known.
        if (pause === FIRST_PAUSE_MS) continue;
      } catch (error) {
        trouble = reasonOf(error);
      }
      await new Promise<void>((resolve) => clock.after(pause, resolve));
    }
  }
}
