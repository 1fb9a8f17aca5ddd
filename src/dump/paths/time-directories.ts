/** Directories named for a time, such as `2026/11/23/10`, and the stretch of time that they stand for. */
import type { Period } from '../cuts/cut.ts';
import type { PartitionFormat } from '../settings/settings.ts';
import { TimeSlots } from './time-slots.ts';
import type { TimeZone } from './time-zone.ts';

export interface Place {
  /** Directories without slashes around; empty for none. */
  readonly path: string;
  /** Undefined when the path says nothing of time. The same path always has the same one. */
  readonly period: Period | undefined;
}

/** Finds the directories of `format`, which is not empty, for times that the clocks of `zone` show. */
export function timeDirectories(format: Exclude<PartitionFormat, ''>, zone: TimeZone): TimeSlots<Place> {
  return new TimeSlots(format.split('/').length, zone, (parts, period) => ({ path: parts.join('/'), period }));
}
