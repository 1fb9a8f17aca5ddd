/** How the space of key hashes is shared between the partitions of a new stream (docs/PROTOCOL.md, Streams). */

/** The largest key hash: 63 bits, all set. The smallest is 0. */
export const MAX_HASH = 2n ** 63n - 1n;

/** Splits 0 … MAX_HASH into `count` (1 and up) adjacent ranges with inclusive ends; the last one takes the remainder. */
export function splitHashSpace(count: number): { low: bigint; high: bigint }[] {
  const width = MAX_HASH / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    low: BigInt(index) * width,
    high: index === count - 1 ? MAX_HASH : BigInt(index + 1) * width - 1n,
  }));
}
