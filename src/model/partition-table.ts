/** Which partition takes a hash: the writable partitions of a stream, laid out for quick search. */
import type { KeyHash } from './key-hash.ts';
import type { Partition, Stream } from './stream.ts';

export class PartitionTable {
  /** In ascending order of hash range. */
  readonly #writable: readonly Partition[];
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  #turn = 0;

  constructor(stream: Stream) {
    this.#writable = stream.partitions
      .filter(({ status }) => status === 'ACTIVE')
      .sort((a, b) => (a.hashLow < b.hashLow ? -1 : 1));
    this.#high = Uint32Array.from(this.#writable, ({ hashLow }) => Number(hashLow >> 32n));
    this.#low = Uint32Array.from(this.#writable, ({ hashLow }) => Number(hashLow & 0xffff_ffffn));
  }

  /** The partition in whose range the hash lies. */
  ofHash({ high, low }: KeyHash): Partition {
    let from = 0;
    let to = this.#writable.length - 1;
    while (from < to) {
      const middle = (from + to + 1) >>> 1;
      const start = this.#high[middle]!;
      if (start < high || (start === high && this.#low[middle]! <= low)) from = middle;
      else to = middle - 1;
    }
    return this.#writable[from]!;
  }

  /** The next partition in turn, for records that name none. */
  inTurn(): Partition {
    this.#turn = (this.#turn + 1) % this.#writable.length;
    return this.#writable[this.#turn]!;
  }
}
