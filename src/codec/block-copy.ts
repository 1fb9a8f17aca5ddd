/** The two moves that a decompressor makes. Bounds are the caller's business. */

/** Up to here a loop over the bytes is faster than the call of a native function. */
const LOOP_BYTES = 24;

export function copyBytes(source: Buffer, start: number, target: Buffer, offset: number, length: number): void {
  if (length > LOOP_BYTES) source.copy(target, offset, start, start + length);
  else for (let index = 0; index < length; index += 1) target[offset + index] = source[start + index]!;
}

/** Writes at `offset` what stands `distance` (1 or more) bytes before: more than `distance` bytes repeat themselves. */
export function repeatBytes(bytes: Buffer, offset: number, distance: number, length: number): void {
  if (length > LOOP_BYTES && distance >= length) {
    bytes.copyWithin(offset, offset - distance, offset - distance + length);
    return;
  }
  const end = offset + length;
  for (let from = offset - distance, at = offset; at < end; at += 1, from += 1) bytes[at] = bytes[from]!;
}
