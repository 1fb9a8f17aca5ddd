/**
 * Several putters at work, and a record of what became of each record they put. Every payload is unlike all others and
 * is put once, so that nothing can be in a stream twice without being noticed.
 */
import { setTimeout } from 'node:timers/promises';
import { DisClient, entriesOf, placeOf, toBase64 } from './dis-client.ts';
import type { Acknowledged, PutHistory } from './checker.ts';

export interface LoadOptions {
  readonly stream: string;
  readonly putters: number;
  /** Most records of one put. */
  readonly records: number;
  /** Most bytes of filler of one record. */
  readonly filler: number;
  /** Pause of each putter after a put, in ms; none by default. */
  readonly pauseMs?: number;
  /** In [0, 1). */
  readonly fraction: () => number;
}

/** How a put was refused: HTTP status and code. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
}

/** Nobody can tell whether the record is stored. */
const OUTCOME_UNKNOWN = 'DIS.5006';

export class Load implements PutHistory {
  readonly acknowledged: Acknowledged[] = [];
  readonly unanswered: string[] = [];
  /** Puts of which the server said that nothing was stored: that is checked as well, since nothing explains them. */
  readonly refusals: Refusal[] = [];
  readonly #options: LoadOptions;
  readonly #refused = new Map<string, Refusal>();
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** How the put of a record was refused, if it was: for messages. */
  refusalOf(data: string): Refusal | undefined {
    return this.#refused.get(data);
  }

  /** Puts until `stop` is called or, unless it is to be `tireless`, the server is gone. */
  start(dis: DisClient, { tireless = false } = {}): { readonly stop: () => Promise<void> } {
    let stopped = false;
    const putters = Array.from({ length: this.#options.putters }, async () => {
      while (!stopped) {
        const before = this.acknowledged.length;
        if (!(await this.#put(dis)) && !tireless) return;
        const { pauseMs = 0 } = this.#options;
        if (pauseMs > 0) await setTimeout(pauseMs);
        // What fails at once is not tried without end.
        else if (tireless && this.acknowledged.length === before) await setTimeout(20);
      }
    });
    return {
      stop: async () => {
        stopped = true;
        await Promise.all(putters);
      },
    };
  }

  /** Puts `count` requests one after the other. */
  async putSome(dis: DisClient, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.#put(dis);
  }

  /** False when no answer came. */
  async #put(dis: DisClient): Promise<boolean> {
    const { stream, records: most, filler, fraction } = this.#options;
    const payloads = Array.from({ length: 1 + Math.floor(fraction() * most) }, () => {
      this.#count += 1;
      return `${this.#count}:${'.'.repeat(Math.floor(fraction() * filler))}`;
    });
    const records = payloads.map((data) => ({ data: toBase64(data), partition_key: `key-${fraction()}` }));
    const answer = await dis.put(stream, records).catch(() => undefined);
    if (answer === undefined) {
      this.unanswered.push(...payloads);
      return false;
    }
    if (answer.status !== 200) {
      const refusal = { status: answer.status, code: (answer.json as { errorCode: string }).errorCode };
      if (refusal.code === OUTCOME_UNKNOWN) {
        this.unanswered.push(...payloads);
        return true;
      }
      this.refusals.push(refusal);
      for (const data of payloads) this.#refused.set(data, refusal);
      return true;
    }
    entriesOf(answer).forEach((entry, i) => {
      const { error_code: code } = entry;
      if (code === undefined) this.acknowledged.push({ ...placeOf(entry), data: payloads[i]! });
      else if (code === OUTCOME_UNKNOWN) this.unanswered.push(payloads[i]!);
      else {
        this.refusals.push({ status: answer.status, code });
        this.#refused.set(payloads[i]!, { status: answer.status, code });
      }
    });
    return true;
  }
}
