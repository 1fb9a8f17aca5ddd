/**
 * JSON whose long numbers keep their digits. JSON.parse makes doubles, which have 15 digits for sure; its reviver could see
 * the source, but takes five times as long. So the few records with longer numbers, which `hasLongNumber` tells from the
 * others at some hundredth of the cost of parsing, have those numbers put between quotes before they are parsed, behind
 * characters with which no string of theirs begins, and taken out again after.
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

/** A number as JSON writes it, that is not a part of something else or stands where a name should. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d.eE+-]|\s*:)/y;

/**
 * Whether bytes [start, end) of JSON may have a number that a double would round: a whole one from 9000000000000000 on,
 * also one of 16 or more digits that an exponent makes whole, and with `fractions` every one of 16 or more digits and a
 * point. Never misses one.
 */
export function hasLongNumber(json: Buffer, start: number, end: number, fractions: boolean): boolean {
  // Such a number has a byte at one of these places, so most bytes need not be looked at.
  for (let at = start + STRIDE - 1; at < end; at += STRIDE) {
    if (!isPart(json[at]!)) continue;
    let first = at;
    while (first > start && isPart(json[first - 1]!)) first -= 1;
    let next = at + 1;
    while (next < end && isPart(json[next]!)) next += 1;
    if (next - first >= STRIDE && (first === start || mayPrecede(json[first - 1]!))) {
      if (isLong(json, first, next, fractions) || (next < end - 1 && mayScaleUp(json[next]!, json[next + 1]!)))
        return true;
    }
    at = Math.max(at, next - STRIDE);
  }
  return false;
}

/** As JSON.parse, with an ExactNumber for every number of more than 15 digits. */
export function parseExactJson(text: string): unknown {
  const opening = unusedOpening(text);
  const marked = markLongNumbers(text, opening);
  if (marked === undefined) return JSON.parse(text);
  let value: unknown;
  try {
    value = JSON.parse(marked);
  } catch {
    // Whatever is wrong with it is to be told in terms of the text itself.
    return JSON.parse(text);
  }
  return restore(value, JSON.parse(`${opening}"`) as string);
}

function isPart(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || byte === DOT;
}

/** 16 digits below 9·10^15 are below 2^53 as well, such as the microseconds of these centuries. */
function isLong(json: Buffer, first: number, next: number, fractions: boolean): boolean {
  let point = first;
  while (point < next && json[point] !== DOT) point += 1;
  if (point < next) return fractions || point - first >= STRIDE;
  return next - first > STRIDE || json[first] === NINE;
}

/** Whether two bytes begin an exponent that is not negative: fractions of doubles have none, or a negative one. */
function mayScaleUp(byte: number, next: number): boolean {
  return (byte === 0x65 || byte === 0x45) && next !== MINUS;
}

/** Leaves out most of the digits that stand in strings. */
function mayPrecede(byte: number): boolean {
  return byte <= 0x20 || byte === 0x3a || byte === 0x2c || byte === 0x5b || byte === MINUS;
}

/**
 * A quote and control characters, with which no string in `text` begins: these stand in a string as their escapes only. Of
 * two ways to go on the rarer one is taken, which at most half of the strings go.
 */
function unusedOpening(text: string): string {
  let opening = '"\\u0001';
  while (text.includes(opening)) {
    const [one, two] = [`${opening}\\u0001`, `${opening}\\u0002`];
    opening = text.split(one).length < text.split(two).length ? one : two;
  }
  return opening;
}

/** Undefined when there is no long number, or what stands for a number is none. */
function markLongNumbers(text: string, opening: string): string | undefined {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      NUMBER.lastIndex = at;
      if (!NUMBER.test(text)) return undefined;
      const end = NUMBER.lastIndex;
      if (end - at > SAFE_DIGITS && countDigits(text, at, end) > SAFE_DIGITS) {
        pieces.push(text.slice(copied, at), opening, text.slice(at, end), '"');
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
