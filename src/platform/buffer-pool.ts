/**
 * Large buffers that are used again: a fresh one of half a megabyte costs a system call and a page fault every 4 KiB,
 * and lives until the garbage collector finds it.
 */

const SMALLEST = 64 * 1024;

export class BufferPool {
  readonly #capacity: number;
  /** Free buffers by their size, a power of two. */
  readonly #free = new Map<number, Buffer[]>();
  #bytes = 0;

  /** `capacity`: bytes that are kept for later at the most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A buffer of at least `size` bytes with any contents. Small ones are not worth keeping: they come fresh. */
  take(size: number): Buffer {
    if (size < SMALLEST) return Buffer.allocUnsafe(size);
    const rounded = 2 ** Math.ceil(Math.log2(size));
    const buffer = this.#free.get(rounded)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(rounded);
    this.#bytes -= rounded;
    return buffer;
  }

  /** Gives a buffer of `take` back. Nobody may look at it any more. */
  give(buffer: Buffer): void {
    const { length } = buffer;
    if (length < SMALLEST || this.#bytes + length > this.#capacity) return;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [buffer]);
    else free.push(buffer);
    this.#bytes += length;
  }
}

/** Buffers that are taken for one piece of work and given back together when it is done. */
export class BufferLoan {
  readonly #pool: BufferPool;
  readonly #taken: Buffer[] = [];

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** See BufferPool.take. Bound, so that it can be handed on as an allocator. */
  readonly take = (size: number): Buffer => {
    const buffer = this.#pool.take(size);
    this.#taken.push(buffer);
    return buffer;
  };

  /** Nobody may look at what was taken any more. */
  giveBack(): void {
    for (const buffer of this.#taken.splice(0)) this.#pool.give(buffer);
  }
}
