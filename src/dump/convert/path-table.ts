/** The paths of a cut, numbered in the order in which its records first belong to them. */
import type { Place } from '../paths/path-finder.ts';

export interface PathEntry {
  readonly index: number;
  readonly place: Place;
  records: number;
  /** What is held of its records while they are sorted. */
  bytes: number;
  /** Sequence numbers, inclusive. */
  readonly firstRecord: number;
  lastRecord: number;
}

export class PathTable {
  readonly #most: number;
  readonly #entries: PathEntry[] = [];
  readonly #byPath = new Map<string, PathEntry>();
  /** Neighbours often belong to the same path. */
  #last: PathEntry | undefined;

  /** `most`: paths that it takes. */
  constructor(most: number) {
    this.#most = most;
  }

  get entries(): readonly PathEntry[] {
    return this.#entries;
  }

  /** False when the path would be one too many. */
  takes(place: Place): boolean {
    return this.#find(place) !== undefined || this.#entries.length < this.#most;
  }

  /** Counts a record of `bytes`; returns the number of its path. */
  add(place: Place, sequence: number, bytes: number): number {
    let entry = this.#find(place);
    if (entry === undefined) {
      entry = { index: this.#entries.length, place, records: 0, bytes: 0, firstRecord: sequence, lastRecord: sequence };
      this.#entries.push(entry);
      this.#byPath.set(place.path, entry);
      this.#last = entry;
    }
    entry.records += 1;
    entry.bytes += bytes;
    entry.lastRecord = sequence;
    return entry.index;
  }

  #find(place: Place): PathEntry | undefined {
    if (this.#last?.place === place) return this.#last;
    const entry = this.#byPath.get(place.path);
    if (entry !== undefined) this.#last = entry;
    return entry;
  }
}
