/** What becomes of each record of a cut, in their order: the number of its path, or DEAD. Four bytes a record. */

/** The record could not be converted. */
export const DEAD = 0xffff_ffff;

export class RecordFates {
  #fates = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(fate: number): void {
    if (this.#length === this.#fates.length) {
      const more = new Uint32Array(this.#length * 2);
      more.set(this.#fates);
      this.#fates = more;
    }
    this.#fates[this.#length] = fate;
    this.#length += 1;
  }

  /** `index` from 0, below `length`. */
  at(index: number): number {
    return this.#fates[index]!;
  }
}
