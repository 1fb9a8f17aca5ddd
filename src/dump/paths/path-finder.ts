/** Which directories a record goes to: one place for a whole cut, or one that each record says itself. */
import type { DumpSettings } from '../settings.ts';
import { timeDirectories, type Place } from './time-directories.ts';

export type { Place } from './time-directories.ts';

/** What a path may be made of. */
export interface RecordFacts {
  /** Members of a JSON record; of a CSV record its fields by the names of their columns. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Arrival in ms. */
  readonly arrivedAt: number;
  readonly key: string | undefined;
  readonly partition: number;
}

export interface PathFinder {
  /** Throws ConversionError for a record that does not say where it belongs. */
  find(facts: RecordFacts): Place;
}

/** The place of every file of a cut; undefined when its records say it themselves. `createdAt` is the plan's time in ms. */
export function fixedPlace(settings: DumpSettings, createdAt: number): Place | undefined {
  if (settings.recordTime !== undefined || settings.pathTemplate !== undefined) return undefined;
  return timeDirectories(settings.partitionFormat, createdAt);
}
