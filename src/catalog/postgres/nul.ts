/**
 * Text of PostgreSQL holds every character but U+0000, which may stand in what callers give. It is kept as two characters, the
 * first of which is one that Unicode keeps from ever being one, and which is doubled for that reason where it stands itself.
 */

const MARK = '\ufdd0';

/** What is stored for a text. */
export function withoutNul(text: string): string {
  if (!text.includes('\0') && !text.includes(MARK)) return text;
  return text.replaceAll(MARK, MARK + MARK).replaceAll('\0', `${MARK}0`);
}

/** The text that was stored. */
export function withNul(stored: string): string {
  if (!stored.includes(MARK)) return stored;
  return stored.replace(/\ufdd0(\ufdd0|0)/g, (_, kept: string) => (kept === '0' ? '\0' : MARK));
}
