/**
 * Which topics there are and which broker leads each of their partitions, as far as it was asked for. Learned from
 * whichever broker answers, and asked for again when somebody finds that it is not true any more.
 *
 * When no broker at all answers for a second, the cluster counts as unreachable until one does; that is looked after in
 * the background, so that whoever needs the cluster can be refused at once.
 */
import { metadataV12 } from '@platformatic/kafka';
import { DomainError } from '../../model/errors.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import { reasonOf, type Address, type Brokers } from './brokers.ts';
import { CODE, codeName, isPassing } from './error-codes.ts';

/** Shorter failures are bridged by trying again. */
const UNREACHABLE_AFTER_MS = 1000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
const NOBODY = -1;

type Metadata = Awaited<ReturnType<(typeof metadataV12.api)['async']>>;

interface Topic {
  /** Broker that leads each partition, -1 for none at the moment. */
  readonly leaders: number[];
  readonly epochs: number[];
}

interface Asked {
  readonly names: Set<string>;
  readonly answered: Promise<void>;
}

export interface TopologyOptions {
  readonly brokers: Brokers;
  readonly bootstrap: readonly Address[];
  readonly clock: Clock;
  readonly report: (level: 'warn' | 'error', message: string, error?: unknown) => void;
}

export class Topology {
  readonly #options: TopologyOptions;
  readonly #topics = new Map<string, Topic>();
  #addresses = new Map<number, Address>();
  #controller = NOBODY;
  /** What is being asked, and what will be asked after that: a question must not be older than who puts it. */
  #asking: Promise<void> | undefined;
  #next: Asked | undefined;
  #helpful: Address | undefined;
  #failingSince: number | undefined;
  #reported = false;
  #lastError: unknown;
  #probe: Timer | undefined;
  #pause = FIRST_PAUSE_MS;
  #closed = false;

  constructor(options: TopologyOptions) {
    this.#options = options;
  }

  /** Why there is nobody to ask, when that has lasted for a while. */
  get failure(): DomainError | undefined {
    const since = this.#failingSince;
    if (since === undefined || this.#options.clock.monotonic() - since < UNREACHABLE_AFTER_MS) return undefined;
    return new DomainError('LogUnavailable', [reasonOf(this.#lastError)], this.#lastError);
  }

  /** Number of partitions, undefined for a topic that there is not or that was never asked for. */
  partitions(topic: string): number | undefined {
    return this.#topics.get(topic)?.leaders.length;
  }

  /** The broker that leads a partition, undefined when none is known. */
  leader(topic: string, partition: number): number | undefined {
    const leader = this.#topics.get(topic)?.leaders[partition];
    return leader === undefined || leader === NOBODY || !this.#addresses.has(leader) ? undefined : leader;
  }

  address(broker: number): Address | undefined {
    return this.#addresses.get(broker);
  }

  get brokers(): ReadonlyMap<number, Address> {
    return this.#addresses;
  }

  /** Whom to ask for changes of topics: any broker of a cluster in KRaft mode, the controller of an older one. */
  get controller(): Address | undefined {
    return this.#addresses.get(this.#controller) ?? this.#addresses.values().next().value;
  }

  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Learns about the topics anew, with one request for all who ask meanwhile. Rejects when no broker answers. */
  refresh(names: Iterable<string>): Promise<void> {
    if (this.#next === undefined) {
      const wanted = new Set<string>();
      const before = this.#asking ?? Promise.resolve();
      const answered = before
        .catch(() => undefined)
        .then(() => {
          this.#next = undefined;
          return this.#ask(wanted);
        });
      this.#asking = answered;
      this.#next = { names: wanted, answered };
    }
    for (const name of names) this.#next.names.add(name);
    return this.#next.answered;
  }

  close(): void {
    this.#closed = true;
    this.#probe?.cancel();
  }

  async #ask(names: ReadonlySet<string>): Promise<void> {
    // Who answered last is likely to answer again; who hangs is asked last.
    const helpful = this.#helpful === undefined ? [] : [this.#helpful];
    const candidates = [...helpful, ...this.#addresses.values(), ...this.#options.bootstrap];
    const tried = new Set<string>();
    let lastError: unknown;
    for (const address of candidates) {
      const key = `${address.host}:${address.port}`;
      if (tried.has(key) || this.#closed) continue;
      tried.add(key);
      try {
        this.#learn(await this.askOne(address, names), names);
        this.#helpful = address;
        this.#reachable();
        return;
      } catch (error) {
        lastError = error;
      }
    }
    this.#helpful = undefined;
    this.#unreachable(lastError);
    throw new Error(`no broker answers: ${reasonOf(lastError)}`, { cause: lastError });
  }

  /** What one broker knows. */
  askOne(address: Address, names: ReadonlySet<string>): Promise<Metadata> {
    return this.#options.brokers.call(address, 'ask', metadataV12.api, [...names], false, false);
  }

  #learn(answer: Metadata, asked: ReadonlySet<string>): void {
    // A broker that has just come up may know nobody yet.
    if (answer.brokers.length === 0) throw new Error('the broker knows no brokers');
    this.#addresses = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controller = answer.controllerId;
    for (const { name, errorCode, partitions } of answer.topics) {
      if (typeof name !== 'string' || !asked.has(name)) continue;
      if (errorCode === CODE.UNKNOWN_TOPIC_OR_PARTITION) this.#topics.delete(name);
      else if (errorCode !== CODE.NONE && !isPassing(errorCode)) throw new Error(`${name}: ${codeName(errorCode)}`);
      if (errorCode !== CODE.NONE) continue;
      const known = this.#topics.get(name);
      const topic: Topic = { leaders: [], epochs: [] };
      for (const { partitionIndex: index, leaderId, leaderEpoch } of partitions) {
        // Another broker may have told newer things before.
        const outdated = (known?.epochs[index] ?? -1) > leaderEpoch;
        topic.leaders[index] = outdated ? known!.leaders[index]! : leaderId;
        topic.epochs[index] = outdated ? known!.epochs[index]! : leaderEpoch;
      }
      this.#topics.set(name, topic);
    }
  }

  #reachable(): void {
    if (this.#reported) this.#options.report('warn', 'Kafka can be reached again');
    this.#reported = false;
    this.#failingSince = undefined;
    this.#pause = FIRST_PAUSE_MS;
    this.#probe?.cancel();
    this.#probe = undefined;
  }

  #unreachable(error: unknown): void {
    this.#lastError = error;
    const { clock } = this.#options;
    if (this.#failingSince === undefined) {
      this.#failingSince = clock.monotonic();
      clock.after(UNREACHABLE_AFTER_MS, () => this.#reportFailure());
    } else this.#reportFailure();
    if (this.#closed || this.#probe !== undefined) return;
    this.#probe = clock.after(this.#pause, () => {
      this.#probe = undefined;
      // A failure comes back here by itself.
      this.refresh([]).catch(() => undefined);
    });
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #reportFailure(): void {
    if (this.failure === undefined || this.#reported || this.#closed) return;
    this.#reported = true;
    this.#options.report('error', 'no broker of Kafka can be reached', this.#lastError);
  }
}
