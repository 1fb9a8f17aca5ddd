/** The number under which this process appends, given by the brokers: with it they know a batch that they have already. */
import { setTimeout } from 'node:timers/promises';
import { initProducerIdV4 } from '@platformatic/kafka';
import type { Brokers } from './brokers.ts';
import { CODE, codeName } from './error-codes.ts';
import type { Topology } from './topology.ts';

const PAUSE_MS = 100;
/** A cluster that has just come up takes a moment. */
const QUIET_TRIES = 20;

export class ProducerId {
  readonly #brokers: Brokers;
  readonly #topology: Topology;
  readonly #report: (message: string, error: unknown) => void;
  #value: bigint | undefined;
  #asking: Promise<void> | undefined;
  #closed = false;

  constructor(brokers: Brokers, topology: Topology, report: (message: string, error: unknown) => void) {
    this.#brokers = brokers;
    this.#topology = topology;
    this.#report = report;
  }

  /** Undefined until `acquire` has resolved. */
  get value(): bigint | undefined {
    return this.#value;
  }

  /** A new number is needed: all epochs of this one are used up. */
  renew(): void {
    this.#value = undefined;
  }

  /** Resolves once there is a number, however long that takes, or when closed. */
  acquire(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  close(): void {
    this.#closed = true;
  }

  async #ask(): Promise<void> {
    for (let tries = 1; this.#value === undefined && !this.#closed; tries += 1) {
      try {
        if (this.#topology.brokers.size === 0) await this.#topology.refresh([]);
        const [address] = this.#topology.brokers.values();
        const answer = await this.#brokers.call(address!, 'change', initProducerIdV4.api, null, 0);
        if (answer.errorCode !== CODE.NONE) throw new Error(codeName(answer.errorCode));
        this.#value = answer.producerId;
      } catch (error) {
        if (tries === QUIET_TRIES) this.#report('Kafka gives no producer id', error);
        await this.#topology.refresh([]).catch(() => undefined);
        await setTimeout(PAUSE_MS, undefined, { ref: false });
      }
    }
  }
}
