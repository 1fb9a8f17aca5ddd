/** Names a value of a record in the reason why it was not taken. */
import { ExactNumber } from './exact-number.ts';

const MAX_CHARACTERS = 40;

export function describeFound(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value));
  if (Array.isArray(value)) return 'an array';
  if (value instanceof ExactNumber) return shortened(value.text);
  if (typeof value === 'object' && value !== null) return 'an object';
  // JSON has no such number: it was written with an exponent beyond what a double holds.
  if (value === Infinity || value === -Infinity) return 'a number too large for a double';
  return String(value);
}

function shortened(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}
