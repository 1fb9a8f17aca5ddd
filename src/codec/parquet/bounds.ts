/**
 * The smallest and largest value of a column chunk, as its statistics tell them: what a reader may skip by. Long texts and
 * bytes are told by their first bytes, rounded down or up, never wrongly.
 */

export interface Bounds {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
  /** False where the value itself was too long to be told. */
  readonly minExact: boolean;
  readonly maxExact: boolean;
}

/** Watches the values of one chunk. */
export interface BoundsWatch<V> {
  /** `value` has been written to `bytes` from `start` (inclusive; its length before it is left out) to `end`. */
  see(value: V, bytes: Buffer, start: number, end: number): void;
  /** Undefined when there is nothing to tell: no values, or only such that have no order. */
  bounds(): Bounds | undefined;
}

/**
 * Numbers. NaN has no place in their order: with one among them nothing is told, since there are readers who put it above
 * every bound and would skip it, as DuckDB does. 0 and -0 are told so that a reader finds both.
 */
export class NumberWatch implements BoundsWatch<number> {
  readonly #encode: (value: number) => Uint8Array;
  #min = Infinity;
  #max = -Infinity;
  #nan = false;

  constructor(encode: (value: number) => Uint8Array) {
    this.#encode = encode;
  }

  see(value: number): void {
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    if (Number.isNaN(value)) this.#nan = true;
  }

  bounds(): Bounds | undefined {
    // As they were: nothing has been seen.
    if (this.#nan || this.#min > this.#max) return undefined;
    const min = this.#encode(this.#min === 0 ? -0 : this.#min);
    const max = this.#encode(this.#max === 0 ? 0 : this.#max);
    return { min, max, minExact: true, maxExact: true };
  }
}

export class BigIntWatch implements BoundsWatch<bigint> {
  readonly #encode: (value: bigint) => Uint8Array;
  #min: bigint | undefined;
  #max: bigint | undefined;

  constructor(encode: (value: bigint) => Uint8Array) {
    this.#encode = encode;
  }

  see(value: bigint): void {
    if (this.#min === undefined || value < this.#min) this.#min = value;
    if (this.#max === undefined || value > this.#max) this.#max = value;
  }

  bounds(): Bounds | undefined {
    if (this.#min === undefined || this.#max === undefined) return undefined;
    return { min: this.#encode(this.#min), max: this.#encode(this.#max), minExact: true, maxExact: true };
  }
}

/** Of texts and bytes that are longer. */
export const LONGEST_BOUND = 64;

/** Bytes in the order of bytes, which for UTF-8 is that of code points. Only the first ones of each value are looked at. */
export class BytesWatch implements BoundsWatch<unknown> {
  readonly #text: boolean;
  readonly #min = new Prefix();
  readonly #max = new Prefix();
  #any = false;

  /** `text`: the bytes are UTF-8, and so are the bounds. */
  constructor(text: boolean) {
    this.#text = text;
  }

  see(_value: unknown, bytes: Buffer, start: number, end: number): void {
    if (!this.#any) {
      this.#any = true;
      this.#min.set(bytes, start, end);
      this.#max.set(bytes, start, end);
      return;
    }
    this.#min.lower(bytes, start, end);
    this.#max.raise(bytes, start, end);
  }

  bounds(): Bounds | undefined {
    if (!this.#any) return undefined;
    const [min, minExact] = [this.#min.bytes(), !this.#min.longer];
    const [max, maxExact] = [this.#max.bytes(), !this.#max.longer];
    const lower = minExact || !this.#text ? min : min.subarray(0, wholeCharacters(min, min.length));
    const upper = maxExact ? max : this.#text ? nextText(max) : nextBytes(max);
    return upper && { min: lower, max: upper, minExact, maxExact };
  }
}

/** The first bytes of the smallest or largest value so far. */
class Prefix {
  readonly #bytes = Buffer.alloc(LONGEST_BOUND);
  #length = 0;
  /** Whether a value that begins so goes on. */
  longer = false;

  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  set(bytes: Buffer, start: number, end: number): void {
    this.#length = Math.min(end - start, LONGEST_BOUND);
    this.longer = end - start > LONGEST_BOUND;
    bytes.copy(this.#bytes, 0, start, start + this.#length);
  }

  lower(bytes: Buffer, start: number, end: number): void {
    const order = this.#compare(bytes, start, end);
    if (order < 0) this.set(bytes, start, end);
    // Of values that begin alike a bound that is exact is that of the shorter one.
    else if (order === 0) this.longer &&= end - start > LONGEST_BOUND;
  }

  raise(bytes: Buffer, start: number, end: number): void {
    const order = this.#compare(bytes, start, end);
    if (order > 0) this.set(bytes, start, end);
    else if (order === 0) this.longer ||= end - start > LONGEST_BOUND;
  }

  #compare(bytes: Buffer, start: number, end: number): number {
    const length = Math.min(end - start, LONGEST_BOUND);
    const both = Math.min(length, this.#length);
    for (let index = 0; index < both; index += 1) {
      const difference = bytes[start + index]! - this.#bytes[index]!;
      if (difference !== 0) return difference;
    }
    return length - this.#length;
  }
}

/** How many of the first `length` bytes are whole characters. */
function wholeCharacters(bytes: Buffer, length: number): number {
  let start = length - 1;
  while (start > 0 && (bytes[start]! & 0xc0) === 0x80) start -= 1;
  const lead = bytes[start]!;
  const needed = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return start + needed <= length ? length : start;
}

/** The smallest bytes, not longer, that are above everything that begins with these; undefined for none. */
function nextBytes(bytes: Buffer): Buffer | undefined {
  let last = bytes.length - 1;
  while (last >= 0 && bytes[last] === 0xff) last -= 1;
  if (last < 0) return undefined;
  const next = Buffer.from(bytes.subarray(0, last + 1));
  next[last]! += 1;
  return next;
}

const LAST_CODE_POINT = 0x10ffff;

/** The same for UTF-8: a character raised by one, in as many bytes or fewer than a bound may have. */
function nextText(bytes: Buffer): Buffer | undefined {
  const characters = [...bytes.toString('utf8', 0, wholeCharacters(bytes, bytes.length))];
  for (let last = characters.length - 1; last >= 0; last -= 1) {
    const code = characters[last]!.codePointAt(0)!;
    if (code === LAST_CODE_POINT) continue;
    // What follows U+D7FF are the halves of surrogate pairs, which are no characters.
    const raised = String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
    const next = Buffer.from(characters.slice(0, last).join('') + raised);
    if (next.length <= LONGEST_BOUND) return next;
  }
  return undefined;
}
