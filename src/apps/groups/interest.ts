/** What a member of a group wants to read, and which streams that is at the moment. */
import { DomainError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { Stream } from '../../model/stream.ts';
import { findStream } from '../../streams/stream-access.ts';
import type { StreamRegistry } from '../../streams/stream-registry.ts';
import type { NamePattern } from './name-pattern.ts';

export interface Interest {
  /** Whose streams: those of its project, and those that others share with it. */
  readonly caller: Principal;
  readonly names: readonly string[];
  readonly ids: readonly string[];
  /** Every stream of the caller's project whose name matches. */
  readonly pattern: NamePattern | undefined;
}

/** Streams by number, each under the word that the member knows it by: its name, or its id where it asked by id. */
export type Subscription = ReadonlyMap<number, string>;

/** Throws StreamNotFound for a stream that is not there, NotPermitted for one that the caller may not read. */
export function subscribe(registry: StreamRegistry, interest: Interest): Subscription {
  return collect(registry, interest, (name) => findStream(registry, interest.caller, name, 'getRecords'));
}

/** What is left of an interest: streams that are gone, or may not be read any more, are left out. */
export function resubscribe(registry: StreamRegistry, interest: Interest): Subscription {
  return collect(registry, interest, (name) => {
    try {
      return findStream(registry, interest.caller, name, 'getRecords');
    } catch (error) {
      if (error instanceof DomainError) return undefined;
      throw error;
    }
  });
}

export function sameSubscription(one: Subscription, other: Subscription): boolean {
  return one.size === other.size && [...one].every(([stream, key]) => other.get(stream) === key);
}

function collect(
  registry: StreamRegistry,
  { caller, names, ids, pattern }: Interest,
  find: (name: { name?: string; id?: string }) => Stream | undefined,
): Subscription {
  const subscription = new Map<number, string>();
  const add = (stream: Stream | undefined, key: string) => {
    if (stream !== undefined && !subscription.has(stream.number)) subscription.set(stream.number, key);
  };
  for (const name of names) add(find({ name }), name);
  for (const id of ids) add(find({ id }), id);
  if (pattern !== undefined) {
    for (const stream of registry.ofProject(caller.projectId)) {
      if (pattern.matches(stream.name)) add(stream, stream.name);
    }
  }
  return subscription;
}
