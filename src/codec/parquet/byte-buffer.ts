/** Bytes that grow at the end: pages and dictionaries while they are made. Numbers are little-endian, as Parquet wants them. */

const FIRST_BYTES = 256;
/** Up to here a loop over the characters is faster than the call of `Buffer.write`. */
const LOOP_CHARACTERS = 24;

export class ByteBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = viewOf(this.bytes);
  length = 0;

  /** What has been written; the next write may overwrite it after `clear`. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  int32(value: number): void {
    this.reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }

  int64(value: bigint): void {
    this.reserve(8);
    this.#view.setBigInt64(this.length, value, true);
    this.length += 8;
  }

  float(value: number): void {
    this.reserve(4);
    this.#view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  double(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** LEB128, of an integer that is exact as a number. */
  varint(value: number): void {
    let rest = value;
    // Shifts take no more than 32 bits.
    for (; rest > 0xffff_ffff; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  /** The length in UTF-8 as 4 bytes, then the text; half a surrogate pair becomes U+FFFD. */
  text(value: string): void {
    this.reserve(4 + value.length * 3);
    const start = this.length + 4;
    const end = value.length <= LOOP_CHARACTERS ? this.#ascii(value, start) : -1;
    const length = end < 0 ? this.bytes.write(value, start) : end - start;
    this.#view.setInt32(start - 4, length, true);
    this.length = start + length;
  }

  /** Where the text ends, or -1 when it is not ASCII. */
  #ascii(value: string, start: number): number {
    const bytes = this.bytes;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return -1;
      bytes[start + index] = code;
    }
    return start + value.length;
  }

  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, needed));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    this.#view = viewOf(larger);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
