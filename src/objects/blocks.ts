/**
 * Recuts a body into blocks of one size: a body may come in pieces of a few bytes or of many megabytes, a store wants
 * few writes of a known size. Two blocks are held at a time, so that one can be stored while the next is filled.
 */

/**
 * Yields blocks of exactly `size` bytes and a last one with the rest; at least one block, which is empty if the body is.
 * A block stays as it is until the next but one is asked for. A piece of the body is copied before the next one is asked
 * for. `signal` is looked at between two pieces of the body, and its reason thrown.
 */
export async function* inBlocks(
  body: AsyncIterable<Uint8Array>,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let filling: Buffer = Buffer.allocUnsafeSlow(size);
  let spare: Buffer | undefined;
  let filled = 0;
  let yielded = 0;

  signal?.throwIfAborted();
  for await (const piece of body) {
    signal?.throwIfAborted();
    // Copied even where it is a block already: many short pieces may be asked for while one block is stored.
    for (let offset = 0; offset < piece.byteLength;) {
      const length = Math.min(size - filled, piece.byteLength - offset);
      filling.set(length === piece.byteLength ? piece : piece.subarray(offset, offset + length), filled);
      filled += length;
      offset += length;
      if (filled < size) continue;

      yield filling;
      signal?.throwIfAborted();
      yielded += 1;
      [filling, spare] = [spare ?? Buffer.allocUnsafeSlow(size), filling];
      filled = 0;
    }
  }
  if (filled > 0 || yielded === 0) yield filling.subarray(0, filled);
}
