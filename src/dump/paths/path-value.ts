/**
 * Values of records as parts of a path. Different text makes different parts; no part holds a slash, is `.` or `..`, or
 * begins like a folder of our own. Escapes are those of URLs, which readers of data lakes take back.
 */
import { ExactNumber } from '../../codec/rows/exact-number.ts';
import { describeFound } from '../../codec/rows/found.ts';
import { ConversionError } from '../../model/conversion-error.ts';

/** What Hive and its kin read as null; also of empty text, which no directory can be named for. */
export const NULL_VALUE = '__HIVE_DEFAULT_PARTITION__';

/** Characters of a part, escapes included. With what stands around it a name of a directory must fit into 255 bytes. */
export const MAX_VALUE_CHARACTERS = 200;

const KEPT = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.';
/** What each byte becomes: itself or its escape. */
const WRITTEN = Array.from({ length: 256 }, (_, byte) => {
  const sign = String.fromCharCode(byte);
  return KEPT.includes(sign) ? sign : escapeOf(byte);
});

/** `name` is what the value is called in the ConversionError for one that no directory can be named for. */
export function pathValue(value: unknown, name: string): string {
  if (value === undefined || value === null || value === '') return NULL_VALUE;
  const escaped = escapeText(toText(value, name), name);
  if (escaped.length > MAX_VALUE_CHARACTERS) {
    throw new ConversionError(`${name} is ${describeFound(value)}, too long for a path`);
  }
  return escaped;
}

function toText(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  // Beyond doubles there is no telling one number from another.
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return String(value);
  if (value instanceof ExactNumber) return value.text;
  throw new ConversionError(`${name} is ${describeFound(value)}, and must be text, a number or a boolean`);
}

/** A `_` or `.` at the beginning is escaped, so that NULL_VALUE, hidden files and our own folders are nobody's value. */
function escapeText(text: string, name: string): string {
  const hidden = text.startsWith('_') || text.startsWith('.');
  if (!hidden && isPlain(text)) return text;
  // Longer than that it is refused anyway, and need not be escaped first.
  if (text.length > MAX_VALUE_CHARACTERS) return text;
  if (!text.isWellFormed()) throw new ConversionError(`${name} is ${describeFound(text)}, which is no Unicode text`);
  const bytes = Buffer.from(text);
  let escaped = hidden ? escapeOf(bytes[0]!) : WRITTEN[bytes[0]!]!;
  for (let index = 1; index < bytes.length; index += 1) escaped += WRITTEN[bytes[index]!]!;
  return escaped;
}

function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (WRITTEN[text.charCodeAt(index)]?.length !== 1) return false;
  }
  return true;
}

function escapeOf(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
