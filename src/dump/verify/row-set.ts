/** A set of row numbers, one bit each: ten million rows are a few megabytes. */

const CHUNK_BITS = 65_536;

export class RowSet {
  readonly #chunks = new Map<number, Uint8Array>();

  add(id: number): void {
    const at = Math.floor(id / CHUNK_BITS);
    let chunk = this.#chunks.get(at);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK_BITS / 8);
      this.#chunks.set(at, chunk);
    }
    const bit = id % CHUNK_BITS;
    chunk[bit >> 3]! |= 1 << (bit & 7);
  }

  has(id: number): boolean {
    const bit = id % CHUNK_BITS;
    const byte = this.#chunks.get(Math.floor(id / CHUNK_BITS))?.[bit >> 3] ?? 0;
    return (byte & (1 << (bit & 7))) !== 0;
  }
}
