/**
 * Parquet's RLE hybrid: levels and dictionary indexes.
 *
 *   hybrid = run*
 *   run    = (count << 1):varint value:⌈width / 8⌉ bytes LE | (groups << 1 | 1):varint groups × 8 values of `width` bits, LSB first
 */
import type { ByteBuffer } from './byte-buffer.ts';

/** Repetitions that are worth a run of their own: those that fill whole groups of a packed run. */
const SHORTEST_RUN = 8;
const GROUP = 8;

/** Bits that the values 0 to `largest` need. */
export function bitWidth(largest: number): number {
  return 32 - Math.clz32(largest);
}

/** Appends the first `count` of `values`, each below 2^width; `width` is at most 24. */
export function writeHybrid(
  to: ByteBuffer,
  values: Uint8Array | Uint16Array | Uint32Array,
  count: number,
  width: number,
): void {
  let packedFrom = 0;
  let at = 0;
  while (at < count) {
    const value = values[at];
    let end = at + 1;
    while (end < count && values[end] === value) end += 1;
    // A packed run holds whole groups: what its last one lacks is taken from the run.
    const borrowed = (GROUP - ((at - packedFrom) % GROUP)) % GROUP;
    if (end - at - borrowed >= SHORTEST_RUN) {
      writePacked(to, values, packedFrom, at + borrowed, width);
      writeRun(to, value!, end - at - borrowed, width);
      packedFrom = end;
    }
    at = end;
  }
  writePacked(to, values, packedFrom, count, width);
}

function writeRun(to: ByteBuffer, value: number, count: number, width: number): void {
  to.varint(count * 2);
  for (let bits = 0; bits < width; bits += 8) to.byte((value >>> bits) & 0xff);
}

/** The last group is filled up with zeros. */
function writePacked(
  to: ByteBuffer,
  values: Uint8Array | Uint16Array | Uint32Array,
  from: number,
  end: number,
  width: number,
): void {
  if (from === end) return;
  const groups = Math.ceil((end - from) / GROUP);
  to.varint(groups * 2 + 1);
  to.reserve(groups * width);
  const bytes = to.bytes;
  let length = to.length;
  let pending = 0;
  let bits = 0;
  for (let at = from; at < from + groups * GROUP; at += 1) {
    pending |= (at < end ? values[at]! : 0) << bits;
    for (bits += width; bits >= 8; bits -= 8) {
      bytes[length] = pending & 0xff;
      length += 1;
      pending >>>= 8;
    }
  }
  to.length = length;
}
