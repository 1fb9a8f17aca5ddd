/**
 * The distinct values of a column chunk, and of the open page the index of each value. Kept for as long as it pays: see
 * `worthwhile`.
 */
import type { RowValue } from '../rows/row-schema.ts';
import type { BoundsWatch } from './bounds.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { LeafValues } from './leaf-values.ts';
import { bitWidth, writeHybrid } from './rle.ts';

/** Limits of one dictionary, passed by a row at the most: what a reader must hold while it reads the chunk, as we do. */
const MAX_BYTES = 1024 * 1024;
const MAX_VALUES = 64 * 1024;
/** So many values tell whether nearly all of them differ. */
const SAMPLE = 1024;
const SAMPLE_DISTINCT = 0.95;

const FIRST_INDEXES = 256;

export class Dictionary {
  readonly #values: LeafValues;
  readonly #key: LeafValues['key'];
  readonly #watch: BoundsWatch<RowValue>;
  readonly #indexOf = new Map<unknown, number>();
  /** The distinct values in PLAIN encoding. */
  readonly #plain = new ByteBuffer();
  /** Where each of them begins, and the end. */
  readonly #starts: number[] = [0];
  #indexes = new Uint32Array(FIRST_INDEXES);
  /** Values of the open page. */
  #count = 0;
  #pages = 0;
  /** Values of all pages. */
  #total = 0;

  constructor(values: LeafValues, watch: BoundsWatch<RowValue>) {
    this.#values = values;
    this.#key = values.key;
    this.#watch = watch;
  }

  get size(): number {
    return this.#indexOf.size;
  }

  get plain(): Buffer {
    return this.#plain.written;
  }

  /** Pages that have been written by it. */
  get pages(): number {
    return this.#pages;
  }

  /** Adds a value to the open page. Returns the bytes that it takes in PLAIN encoding. */
  add(value: RowValue): number {
    const key = this.#key === undefined ? value : this.#key(value);
    let index = this.#indexOf.get(key);
    if (index === undefined) {
      index = this.#indexOf.size;
      this.#indexOf.set(key, index);
      const start = this.#plain.length;
      this.#values.write(this.#plain, value);
      this.#watch.see(value, this.#plain.bytes, start + this.#values.prefix, this.#plain.length);
      this.#starts.push(this.#plain.length);
    }
    this.#addIndex(index);
    this.#total += 1;
    return this.#starts[index + 1]! - this.#starts[index]!;
  }

  #addIndex(index: number): void {
    if (this.#count === this.#indexes.length) {
      const larger = new Uint32Array(this.#count * 2);
      larger.set(this.#indexes);
      this.#indexes = larger;
    }
    this.#indexes[this.#count] = index;
    this.#count += 1;
  }

  /** False once nearly every value of the first ones was a new one, and where there is no room for another. */
  worthwhile(): boolean {
    if (this.#total === SAMPLE && this.size > SAMPLE * SAMPLE_DISTINCT) return false;
    return this.size < MAX_VALUES && this.#plain.length < MAX_BYTES;
  }

  /** Whether it is smaller, with the indexes of the first page, than the `plainBytes` that the values of that page take. */
  smaller(plainBytes: number): boolean {
    return this.#plain.length + (this.#count * bitWidth(this.size)) / 8 < plainBytes;
  }

  /** The values of the open page in PLAIN encoding. Nothing of them is left here. */
  unfold(to: ByteBuffer): void {
    const plain = this.#plain.bytes;
    for (let at = 0; at < this.#count; at += 1) {
      const index = this.#indexes[at]!;
      to.raw(plain.subarray(this.#starts[index], this.#starts[index + 1]));
    }
    this.#count = 0;
  }

  /** The indexes of the open page, behind their width. */
  flush(to: ByteBuffer): void {
    // One value would do with no bits at all, which some readers do not expect.
    const width = Math.max(1, bitWidth(this.size - 1));
    to.byte(width);
    writeHybrid(to, this.#indexes, this.#count, width);
    this.#count = 0;
    this.#pages += 1;
  }
}
