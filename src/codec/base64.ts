/**
 * Strict Base64 into a place of one's own. Node's decoder skips what it does not know; a record that lost bytes that way
 * must not be stored, so the length is checked. Both alphabets are taken, with or without padding; white space as MIME
 * encoders put it is allowed.
 */

const EQUALS = 61;

/** Bytes that `text` decodes to if it is Base64 without white space; -1 when no Base64 has its length. */
export function base64Bytes(text: string): number {
  let length = text.length;
  if (length > 0 && text.charCodeAt(length - 1) === EQUALS) length -= 1;
  if (length > 0 && text.charCodeAt(length - 1) === EQUALS) length -= 1;
  const rest = length & 3;
  return rest === 1 ? -1 : (length >>> 2) * 3 + (rest === 0 ? 0 : rest - 1);
}

/**
 * Decodes `text` at `offset` of `target`, which has room for `base64Bytes(text)` bytes. Returns how many were written, or -1
 * when the text is not Base64 (bytes in that room may then be changed).
 */
export function decodeBase64(text: string, target: Buffer, offset: number): number {
  const expected = base64Bytes(text);
  if (expected >= 0 && target.write(text, offset, expected, 'base64') === expected) return expected;
  const compact = text.replace(/[\t\n\r ]+/g, '');
  if (compact.length === text.length) return -1;
  const compactBytes = base64Bytes(compact);
  return compactBytes >= 0 && target.write(compact, offset, compactBytes, 'base64') === compactBytes
    ? compactBytes
    : -1;
}
