/**
 * Wall clocks. A wall time is what the clock of a zone shows, told as the milliseconds since 1970 at which a clock of UTC
 * shows the same. Twice a year many clocks repeat an hour or leave one out: what that means for a time and for a stretch
 * of time is said here, once.
 */
import type { Period } from '../cuts/cut.ts';

export interface TimeZone {
  /** Milliseconds by which the wall clock is ahead of UTC at `time` (ms). */
  offset(time: number): number;
}

const DAY_MS = 86_400_000;
/** Days remembered at a time: records of fifty years cost one look at the zone's rules a day. */
const MAX_DAYS = 20_000;

const UTC: TimeZone = { offset: () => 0 };

/** The zone of an IANA name, or of an offset such as `+08:00`. Throws RangeError for anything else. */
export function timeZone(name: string): TimeZone {
  return name === 'UTC' ? UTC : new RuledZone(name);
}

/** The name as it is usually written (`asia/shanghai` is `Asia/Shanghai`), or undefined for no zone. */
export function zoneName(given: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: given }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The instant at which the clock shows `wall`. Of a time that comes twice it is the first; one that is left out is taken
 * as if the clock had not been put forward, as most calendars do: an hour later than what it says.
 */
export function instantOf(zone: TimeZone, wall: number): number {
  const { before, after } = offsetsAround(zone, wall);
  if (before === after || zone.offset(wall - before) === before) return wall - before;
  return zone.offset(wall - after) === after ? wall - after : wall - before;
}

/**
 * From the first to the last instant at which the clock shows a time in [start, end), given as wall times; some of the
 * clock shows in it. When the clock is put back within that time, what it shows in between belongs to the period too.
 */
export function periodOf(zone: TimeZone, start: number, end: number): Period {
  return { start: firstInstant(zone, start), end: lastInstant(zone, end - 1) + 1 };
}

/** The first instant at which the clock shows `wall` or, when it leaves that out, what comes behind it. */
function firstInstant(zone: TimeZone, wall: number): number {
  const { before, after } = offsetsAround(zone, wall);
  if (before === after || zone.offset(wall - before) === before) return wall - before;
  if (zone.offset(wall - after) === after) return wall - after;
  return changeBetween(zone, wall - after, wall - before);
}

/** The last instant at which the clock shows `wall` or, when it leaves that out, what comes before it. */
function lastInstant(zone: TimeZone, wall: number): number {
  const { before, after } = offsetsAround(zone, wall);
  if (before === after || zone.offset(wall - after) === after) return wall - after;
  if (zone.offset(wall - before) === before) return wall - before;
  return changeBetween(zone, wall - after, wall - before) - 1;
}

/** Offsets well before and well after the instants at which the clock may show `wall`. */
function offsetsAround(zone: TimeZone, wall: number): { readonly before: number; readonly after: number } {
  return { before: zone.offset(wall - DAY_MS), after: zone.offset(wall + DAY_MS) };
}

/** The first instant in (from, to] with another offset than `from` has; `to` has another one. */
function changeBetween(zone: TimeZone, from: number, to: number): number {
  const old = zone.offset(from);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offset(middle) === old) low = middle;
    else high = middle;
  }
  return high;
}

/** One UTC day: `before` holds until `change` (exclusive), `after` from then on. */
interface Day {
  readonly before: number;
  readonly change: number;
  readonly after: number;
}

/** A zone by the rules that the runtime has. Asking them takes 10 µs, so the answer is kept for each day. */
class RuledZone implements TimeZone {
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, Day>();
  #newest = Number.NaN;
  #day: Day = { before: 0, change: 0, after: 0 };

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  offset(time: number): number {
    const number = Math.floor(time / DAY_MS);
    if (number !== this.#newest) {
      this.#day = this.#days.get(number) ?? this.#learn(number);
      this.#newest = number;
    }
    return time < this.#day.change ? this.#day.before : this.#day.after;
  }

  #learn(number: number): Day {
    const start = number * DAY_MS;
    const before = this.#ask(start);
    const after = this.#ask(start + DAY_MS);
    const asked: TimeZone = { offset: (time) => this.#ask(time) };
    const change = before === after ? start : changeBetween(asked, start, start + DAY_MS);
    if (this.#days.size >= MAX_DAYS) this.#days.clear();
    const day = { before, change, after };
    this.#days.set(number, day);
    return day;
  }

  /** The rules tell an offset as `GMT`, `GMT+08:00` or, of old times, `GMT+08:05:43`. */
  #ask(time: number): number {
    const text = this.#format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, ...parts] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? [];
    const [hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
    return (sign === '-' ? -1000 : 1000) * ((hours * 60 + minutes) * 60 + seconds);
  }
}
