/** Which directories a record goes to: one place for a whole cut, or one that each record says itself. */
import { ConversionError } from '../../model/conversion-error.ts';
import type { Period } from '../cuts/cut.ts';
import type { DumpSettings } from '../settings/settings.ts';
import { memberReader } from './member.ts';
import { parseTemplate, type TemplatePart } from './path-template.ts';
import { pathValue } from './path-value.ts';
import { recordTimeReader } from './record-time.ts';
import { timeDirectories, type Place } from './time-directories.ts';
import { TimeSlots } from './time-slots.ts';
import { timeZone } from './time-zone.ts';

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
  /** False: `members` is not looked at, and records need not have any. */
  readonly readsMembers: boolean;

  /** Throws ConversionError for a record that does not say where it belongs. */
  find(facts: RecordFacts): Place;
}

type SomeSettings = Pick<DumpSettings, 'partitionFormat' | 'pathTemplate' | 'recordTime' | 'timeZone'>;

/** Leaves room in a key of 1024 bytes for the prefix and the longest file name. */
const MAX_PATH_CHARACTERS = 800;

const NO_DIRECTORIES: Place = { path: '', period: undefined };
/** Settings never change, and every plan of a version asks. */
const fixedPlaces = new WeakMap<SomeSettings, TimeSlots<Place>>();

/** The place of every file of a cut; undefined when its records say it themselves. `createdAt` is the plan's time in ms. */
export function fixedPlace(settings: SomeSettings, createdAt: number): Place | undefined {
  const { partitionFormat, pathTemplate, recordTime } = settings;
  if (recordTime !== undefined || pathTemplate !== undefined) return undefined;
  if (partitionFormat === '') return NO_DIRECTORIES;
  let places = fixedPlaces.get(settings);
  if (places === undefined) {
    places = timeDirectories(partitionFormat, timeZone(settings.timeZone));
    fixedPlaces.set(settings, places);
  }
  return places.at(createdAt);
}

/** Finds the places of records one by one; for settings without a fixed place. */
export function pathFinder(settings: SomeSettings): PathFinder {
  const { partitionFormat, pathTemplate, recordTime } = settings;
  const zone = timeZone(settings.timeZone);
  const ownTime = recordTime && recordTimeReader(recordTime, zone);
  const timeOf = ({ members, arrivedAt }: RecordFacts) => (ownTime === undefined ? arrivedAt : ownTime(members));
  if (pathTemplate !== undefined) {
    const { parts, timeDepth, readsMembers } = parseTemplate(pathTemplate);
    if (timeDepth === 0) return { readsMembers, ...templateFinder(parts, () => NO_TIME) };
    const times = new TimeSlots<Time>(timeDepth, zone, (texts, period) => ({ texts, period }));
    return {
      readsMembers: readsMembers || ownTime !== undefined,
      ...templateFinder(parts, (facts) => times.at(timeOf(facts))),
    };
  }
  if (partitionFormat === '') return { readsMembers: false, find: () => NO_DIRECTORIES };
  const places = timeDirectories(partitionFormat, zone);
  return { readsMembers: ownTime !== undefined, find: (facts) => places.at(timeOf(facts)) };
}

interface Time {
  /** Of the parts of time that the template has. */
  readonly texts: readonly string[];
  readonly period: Period | undefined;
}

const NO_TIME: Time = { texts: [], period: undefined };

/**
 * Neighbours often go to the same place: what every part of the last one was made from is remembered. `timeOf` gives the
 * same object for the same time.
 */
function templateFinder(
  parts: readonly TemplatePart[],
  timeOf: (facts: RecordFacts) => Time,
): Pick<PathFinder, 'find'> {
  const values = parts.flatMap((part) => valueReader(part) ?? []);
  const last: unknown[] = values.map(() => undefined);
  let lastTime: Time | undefined;
  let place = NO_DIRECTORIES;

  return {
    find(facts) {
      const time = timeOf(facts);
      let same = time === lastTime;
      lastTime = undefined;
      for (let index = 0; index < values.length; index += 1) {
        const value = values[index]!.read(facts);
        if (value === last[index]) continue;
        last[index] = value;
        same = false;
      }
      if (!same) {
        let path = '';
        let next = 0;
        for (const part of parts) {
          if (part.kind === 'text') path += part.text;
          else if (part.kind === 'time') path += time.texts[part.index]!;
          else {
            path += pathValue(last[next], values[next]!.name);
            next += 1;
          }
        }
        if (path.length > MAX_PATH_CHARACTERS) {
          throw new ConversionError(
            `the path has ${path.length} characters, and must have at most ${MAX_PATH_CHARACTERS}`,
          );
        }
        place = { path, period: time.period };
      }
      lastTime = time;
      return place;
    },
  };
}

interface ValueReader {
  /** As reasons name it. */
  readonly name: string;
  readonly read: (facts: RecordFacts) => unknown;
}

function valueReader(part: TemplatePart): ValueReader | undefined {
  switch (part.kind) {
    case 'key':
      return { name: 'the partition key', read: ({ key }) => key };
    case 'partition':
      return { name: 'the partition', read: ({ partition }) => partition };
    case 'member': {
      const read = memberReader(part.path);
      return { name: `member ${part.path}`, read: ({ members }) => read(members) };
    }
    case 'text':
    case 'time':
      return undefined;
  }
}
