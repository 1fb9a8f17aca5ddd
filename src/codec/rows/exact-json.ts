/**
 * JSON whose long numbers keep their digits. JSON.parse makes doubles, which have 15 digits for sure; its reviver could see
 * the source, but takes five times as long. So the few records with longer numbers, which `hasLongNumber` tells from the
 * others at some hundredth of the cost of parsing, have those numbers put between quotes before they are parsed, behind a
 * mark that no string of theirs has, and taken out again after.
 */
import { ExactNumber } from './exact-number.ts';

/** Any number of up to so many digits comes back from a double as it was. */
const SAFE_DIGITS = 15;
const STRIDE = SAFE_DIGITS + 1;

const QUOTE = 0x22;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Whether bytes [start, end) of JSON may have a number that a double would round: a whole one of 16 digits from
 * 9000000000000000 on or of more digits, and with `fractions` one of 16 or more digits and a point, too. Never misses one.
 */
export function hasLongNumber(json: Buffer, start: number, end: number, fractions: boolean): boolean {
  // Such a number has a byte at one of these places, so most bytes need not be looked at.
  for (let at = start + STRIDE - 1; at < end; at += STRIDE) {
    if (!isPart(json[at]!, fractions)) continue;
    let first = at;
    while (first > start && isPart(json[first - 1]!, fractions)) first -= 1;
    let next = at + 1;
    while (next < end && isPart(json[next]!, fractions)) next += 1;
    if (next - first >= STRIDE && isLong(json, first, next) && (first === start || mayPrecede(json[first - 1]!))) {
      return true;
    }
    at = Math.max(at, next - STRIDE);
  }
  return false;
}

/** As JSON.parse, with an ExactNumber for every number of more than 15 digits. */
export function parseExactJson(text: string): unknown {
  let mark = '\\u0001';
  // A control character cannot stand in a string but as this escape, so what is not in the text is in no string.
  while (text.includes(mark)) mark += '\\u0001';
  const marked = markLongNumbers(text, mark);
  if (marked === undefined) return JSON.parse(text);
  let value: unknown;
  try {
    value = JSON.parse(marked);
  } catch {
    // Whatever is wrong with it is to be told in terms of the text itself.
    return JSON.parse(text);
  }
  return restore(value, JSON.parse(`"${mark}"`) as string);
}

function isPart(byte: number, fractions: boolean): boolean {
  return (byte >= ZERO && byte <= NINE) || (fractions && byte === DOT);
}

/** 16 digits below 9·10^15 are below 2^53 as well, such as the microseconds of these centuries. */
function isLong(json: Buffer, first: number, next: number): boolean {
  if (next - first > STRIDE) return true;
  return json[first] === NINE || json.subarray(first, next).includes(DOT);
}

/** Leaves out most of the digits that stand in strings. */
function mayPrecede(byte: number): boolean {
  return byte <= 0x20 || byte === 0x3a || byte === 0x2c || byte === 0x5b || byte === MINUS;
}

/** Undefined when there is no long number. */
function markLongNumbers(text: string, mark: string): string | undefined {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(text, at);
      if (end - at > SAFE_DIGITS && countDigits(text, at, end) > SAFE_DIGITS) {
        pieces.push(text.slice(copied, at), `"${mark}`, text.slice(at, end), '"');
        copied = end;
      }
      at = end;
    } else at += 1;
  }
  if (copied === 0) return undefined;
  pieces.push(text.slice(copied));
  return pieces.join('');
}

/** Index after the closing quote of the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text[before] === '\\') before -= 1;
    if ((end - before) % 2 === 1) return end + 1;
  }
  return text.length;
}

/** Index after the longest stretch from `at` that could be a number. */
function endOfNumber(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && '0123456789.eE+-'.includes(text[end]!)) end += 1;
  return end;
}

/** Those before the exponent. */
function countDigits(text: string, start: number, end: number): number {
  let digits = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) digits += 1;
    else if (code === 0x45 || code === 0x65) break;
  }
  return digits;
}

/** Without recursion, since records may be nested as deep as they are long. */
function restore(value: unknown, mark: string): unknown {
  const root: Record<string, unknown> = { value };
  const open: Record<string, unknown>[] = [root];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const [name, member] of Object.entries(parent)) {
      if (typeof member === 'string') {
        if (member.startsWith(mark)) parent[name] = new ExactNumber(member.slice(mark.length));
      } else if (typeof member === 'object' && member !== null) open.push(member as Record<string, unknown>);
    }
  }
  return root['value'];
}
