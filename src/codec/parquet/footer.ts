/** The end of a Parquet file: the footer, its length as 4 bytes, and the magic. */
import { MAGIC } from './format.ts';
import { encodeThrift, type Thrift } from './thrift.ts';

/** Bytes behind the footer. */
export const END_BYTES = 8;

/** The footer with what follows it. */
export function encodeFooter(footer: Thrift): Buffer {
  const bytes = encodeThrift(footer);
  const whole = Buffer.allocUnsafeSlow(bytes.length + END_BYTES);
  bytes.copy(whole);
  MAGIC.copy(whole, whole.writeUInt32LE(bytes.length, bytes.length));
  return whole;
}

/** Bytes of the footer of a file that ends with `tail`, without the END_BYTES. Throws RangeError for what is no Parquet file. */
export function footerLength(tail: Buffer): number {
  if (tail.length < END_BYTES || !tail.subarray(-MAGIC.length).equals(MAGIC))
    throw new RangeError('not a Parquet file');
  return tail.readUInt32LE(tail.length - END_BYTES);
}

/** The footer of a file that ends with `tail`, a part of it. Throws RangeError where that does not hold all of it. */
export function footerOf(tail: Buffer): Buffer {
  const start = tail.length - END_BYTES - footerLength(tail);
  if (start < 0) throw new RangeError('the footer is longer than what there is of it');
  return tail.subarray(start, tail.length - END_BYTES);
}
