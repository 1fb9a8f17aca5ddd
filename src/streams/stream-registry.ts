/**
 * All streams in memory, so that a put finds its stream with a lookup. The catalog is the truth, and stream-follower.ts
 * brings the registry there.
 */
import type { Stream } from '../model/stream.ts';

export class StreamRegistry {
  /** Project, then name. */
  readonly #byName = new Map<string, Map<string, Stream>>();
  readonly #byId = new Map<string, Stream>();
  readonly #byNumber = new Map<number, Stream>();
  #version = 0;

  constructor(streams: Iterable<Stream> = []) {
    for (const stream of streams) this.add(stream);
  }

  find(projectId: string, name: string): Stream | undefined {
    return this.#byName.get(projectId)?.get(name);
  }

  /** Of any project. */
  byId(id: string): Stream | undefined {
    return this.#byId.get(id);
  }

  byNumber(number: number): Stream | undefined {
    return this.#byNumber.get(number);
  }

  /** Every stream of every project. Streams added or removed meanwhile may or may not be seen. */
  all(): Iterable<Stream> {
    return this.#byNumber.values();
  }

  /** How many streams there are, and how many of their partitions take records. */
  counts(): { readonly streams: number; readonly partitions: number } {
    let partitions = 0;
    for (const stream of this.all()) partitions += stream.partitions.filter(({ status }) => status === 'ACTIVE').length;
    return { streams: this.#byNumber.size, partitions };
  }

  /** The streams of a project, in order of name (by code unit). */
  ofProject(projectId: string): Stream[] {
    const streams = [...(this.#byName.get(projectId)?.values() ?? [])];
    return streams.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Another number after every change. */
  get version(): number {
    return this.#version;
  }

  /** Makes a stream known, or replaces what was known of it. */
  add(stream: Stream): void {
    this.#version += 1;
    let names = this.#byName.get(stream.projectId);
    if (names === undefined) this.#byName.set(stream.projectId, (names = new Map<string, Stream>()));
    names.set(stream.name, stream);
    this.#byId.set(stream.id, stream);
    this.#byNumber.set(stream.number, stream);
  }

  remove(stream: Stream): void {
    this.#version += 1;
    // Its name may be another stream's by now.
    const names = this.#byName.get(stream.projectId);
    if (names?.get(stream.name)?.number === stream.number) names.delete(stream.name);
    this.#byId.delete(stream.id);
    this.#byNumber.delete(stream.number);
  }
}
