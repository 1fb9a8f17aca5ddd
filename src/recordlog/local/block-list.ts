/**
 * Where the blocks of one partition lie in one segment: a growable array of fixed entries in the bytes of the block
 * list (format.ts), so that sealing a segment writes it as it stands and reading one back parses nothing.
 * Entries are in order of sequence number and of time; a jump between them is a range that was lost to damage.
 */
import { BLOCK_ENTRY_BYTES } from './format.ts';

const UINT32_END = 0x1_0000_0000;

export interface BlockEntry {
  /** Of the block header, in bytes from the start of the segment. */
  readonly position: number;
  readonly bodyLength: number;
  readonly first: number;
  readonly count: number;
  readonly time: number;
}

export class BlockList {
  /** Sequence number and time that the entries are relative to: those of the first block. */
  readonly baseSequence: number;
  readonly baseTime: number;
  #bytes: Buffer;
  #length: number;

  /** A list over bytes read back from a segment, or an empty one to append to. */
  constructor(baseSequence: number, baseTime: number, bytes: Buffer = Buffer.alloc(0)) {
    this.baseSequence = baseSequence;
    this.baseTime = baseTime;
    this.#bytes = bytes;
    this.#length = bytes.length / BLOCK_ENTRY_BYTES;
  }

  get length(): number {
    return this.#length;
  }

  /** The entries in the bytes of the format. */
  get encoded(): Buffer {
    return this.#bytes.subarray(0, this.#length * BLOCK_ENTRY_BYTES);
  }

  /** Whether an entry can be expressed relative to the base: if not, the segment must be sealed first. */
  fits(first: number, time: number): boolean {
    return first - this.baseSequence < UINT32_END && time - this.baseTime < UINT32_END;
  }

  append({ position, bodyLength, first, count, time }: BlockEntry): void {
    const at = this.#length * BLOCK_ENTRY_BYTES;
    if (at === this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(BLOCK_ENTRY_BYTES * 8, at * 2));
      this.#bytes.copy(grown);
      this.#bytes = grown;
    }
    this.#bytes.writeUInt32LE(position, at);
    this.#bytes.writeUInt32LE(bodyLength, at + 4);
    this.#bytes.writeUInt32LE(first - this.baseSequence, at + 8);
    this.#bytes.writeUInt32LE(count, at + 12);
    this.#bytes.writeUInt32LE(time - this.baseTime, at + 16);
    this.#length += 1;
  }

  entry(index: number): BlockEntry {
    const at = index * BLOCK_ENTRY_BYTES;
    return {
      position: this.#bytes.readUInt32LE(at),
      bodyLength: this.#bytes.readUInt32LE(at + 4),
      first: this.#first(index),
      count: this.#bytes.readUInt32LE(at + 12),
      time: this.#time(index),
    };
  }

  /** Index of the last entry that begins at or before `sequence`; -1 when all begin after it. */
  indexOf(sequence: number): number {
    return partitionPoint(this.#length, (index) => this.#first(index) <= sequence) - 1;
  }

  /** Index of the first entry that arrived at or after `time`; `length` when none did. */
  indexOfTime(time: number): number {
    return partitionPoint(this.#length, (index) => this.#time(index) < time);
  }

  #first(index: number): number {
    return this.baseSequence + this.#bytes.readUInt32LE(index * BLOCK_ENTRY_BYTES + 8);
  }

  #time(index: number): number {
    return this.baseTime + this.#bytes.readUInt32LE(index * BLOCK_ENTRY_BYTES + 16);
  }
}

/** The first index in [0, length] where `holds` is false; `holds` is true up to some point and false from there on. */
export function partitionPoint(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
