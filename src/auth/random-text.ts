/** Random text for keys and passwords: every character equally likely. */
import type { Random } from '../platform/random.ts';

export const UPPER_CASE_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
export const LETTERS_AND_DIGITS = `${UPPER_CASE_AND_DIGITS}abcdefghijklmnopqrstuvwxyz`;

/** `length` characters of `alphabet`, which has at most 256. */
export function randomText(random: Random, alphabet: string, length: number): string {
  // Bytes from here on are thrown away: they would make the first characters likelier.
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
