/** Times by the year, month, day, hour or minute that a wall clock shows: what is made of each is made once. */
import type { Period } from '../cuts/cut.ts';
import { periodOf, type TimeZone } from './time-zone.ts';

/** The parts of a time from coarse to fine; a directory that is fine to a depth has that many of them. */
export const TIME_PARTS = ['yyyy', 'MM', 'dd', 'HH', 'mm'] as const;

/** Slots remembered at a time. */
const MAX_SLOTS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export class TimeSlots<T> {
  readonly #depth: number;
  readonly #zone: TimeZone;
  readonly #make: (parts: readonly string[], period: Period) => T;
  /** What the clock shows changes its slot at multiples of this only. */
  readonly #unit: number;
  readonly #slots = new Map<number, T>();
  #newest: { readonly number: number; readonly value: T } | undefined;

  /** `depth` is 1 for years to 5 for minutes; `make` gets that many parts, written with four and two digits. */
  constructor(depth: number, zone: TimeZone, make: (parts: readonly string[], period: Period) => T) {
    this.#depth = depth;
    this.#zone = zone;
    this.#make = make;
    this.#unit = [MINUTE_MS, HOUR_MS][TIME_PARTS.length - depth] ?? DAY_MS;
  }

  /** What was made for the slot of `time` (ms). */
  at(time: number): T {
    const number = Math.floor((time + this.#zone.offset(time)) / this.#unit);
    if (this.#newest?.number !== number) {
      this.#newest = { number, value: this.#slots.get(number) ?? this.#add(number) };
    }
    return this.#newest.value;
  }

  #add(number: number): T {
    const depth = this.#depth;
    const date = new Date(number * this.#unit);
    const shown = [
      date.getUTCFullYear(),
      date.getUTCMonth(),
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
    ];
    const edge = (later: number) =>
      wallTime(shown.slice(0, depth).map((part, i) => (i === depth - 1 ? part + later : part)));
    const parts = shown
      .slice(0, depth)
      .map((part, i) => String(i === 1 ? part + 1 : part).padStart(i === 0 ? 4 : 2, '0'));
    const value = this.#make(parts, periodOf(this.#zone, edge(0), edge(1)));
    if (this.#slots.size >= MAX_SLOTS) this.#slots.clear();
    this.#slots.set(number, value);
    return value;
  }
}

/** Of year, month (from 0), day, hour and minute. Date.UTC would take the year 26 for 1926. */
function wallTime([year = 1970, month = 0, day = 1, hours = 0, minutes = 0]: readonly number[]): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.setUTCHours(hours, minutes);
}
