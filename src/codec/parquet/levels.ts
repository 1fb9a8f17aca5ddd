/** The definition or repetition levels of an open page: one for each entry, a value or something that is not there. */
import type { ByteBuffer } from './byte-buffer.ts';
import { bitWidth, writeHybrid } from './rle.ts';

const FIRST_ENTRIES = 256;

export class Levels {
  readonly #width: number;
  #levels = new Uint8Array(FIRST_ENTRIES);
  #count = 0;

  constructor(largest: number) {
    this.#width = bitWidth(largest);
  }

  add(level: number): void {
    if (this.#count === this.#levels.length) {
      const larger = new Uint8Array(this.#count * 2);
      larger.set(this.#levels);
      this.#levels = larger;
    }
    this.#levels[this.#count] = level;
    this.#count += 1;
  }

  /** Writes them behind their length, and begins anew. */
  flush(to: ByteBuffer): void {
    const start = to.length;
    to.int32(0);
    writeHybrid(to, this.#levels, this.#count, this.#width);
    to.bytes.writeInt32LE(to.length - start - 4, start);
    this.#count = 0;
  }
}
