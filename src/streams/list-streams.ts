/** One page of a project's streams in order of name. */
import type { Stream } from '../model/stream.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface StreamPage {
  /** Of the whole project. */
  readonly total: number;
  readonly streams: readonly Stream[];
  readonly hasMore: boolean;
}

/** Up to `limit` streams whose names come after `after` (exclusive; it need not exist); undefined starts at the first. */
export function listStreams(
  registry: StreamRegistry,
  projectId: string,
  limit: number,
  after: string | undefined,
): StreamPage {
  const all = registry.ofProject(projectId);
  const rest = after === undefined ? all : all.filter(({ name }) => name > after);
  return { total: all.length, streams: rest.slice(0, limit), hasMore: rest.length > limit };
}
