/**
 * The tags of streams: what a tag may look like, and the operations that change them. A tag belongs to a stream and is
 * known by its key; a stream is named by its id here, as in the API's tag operations.
 */
import { updateStreamTags } from '../catalog/stream-tags.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { Principal } from '../model/principal.ts';
import type { Stream, Tag } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { StreamChanges } from './stream-changes.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface TagDeps {
  readonly streamChanges: StreamChanges;
  readonly limits: Limits;
  readonly clock: Clock;
}

export const LONGEST_KEY = 36;
export const LONGEST_VALUE = 43;

const KEY = new RegExp(`^[A-Za-z0-9_\\-\\u4e00-\\u9fff]{1,${LONGEST_KEY}}$`);
const VALUE = new RegExp(`^[A-Za-z0-9_.\\-\\u4e00-\\u9fff]{0,${LONGEST_VALUE}}$`);

/** Throws InvalidBody for the first tag that is wrong, or whose key another one before it has. */
export function checkTags(tags: readonly Tag[]): void {
  const keys = new Set<string>();
  for (const [index, tag] of tags.entries()) {
    checkTag(tag, `tags.${index}`);
    if (keys.has(tag.key)) refuse(`tags.${index}.key`, 'must be unique');
    keys.add(tag.key);
  }
}

function checkTag({ key, value }: Tag, member: string): void {
  if (!KEY.test(key)) refuse(`${member}.key`, `must be 1 to ${LONGEST_KEY} letters, digits, _ or -`);
  if (!VALUE.test(value)) refuse(`${member}.value`, `must be up to ${LONGEST_VALUE} letters, digits, _, . or -`);
}

/** The caller's stream of that id. Throws ResourceNotFound. */
export function findTaggedStream(registry: StreamRegistry, { projectId }: Principal, id: string): Stream {
  const stream = registry.byId(id);
  if (stream?.projectId === projectId) return stream;
  throw new DomainError('ResourceNotFound', [id.slice(0, 64), projectId]);
}

/** Adds one tag; a key that the stream has gets its new value. Throws InvalidBody, TooManyTags. */
export async function addTag(deps: TagDeps, stream: Stream, tag: Tag): Promise<void> {
  checkTag(tag, 'tag');
  await merge(deps, stream, [tag]);
}

/** The same for several, all or none. Throws InvalidBody, also when a key is there twice, and TooManyTags. */
export async function addTags(deps: TagDeps, stream: Stream, added: readonly Tag[]): Promise<void> {
  checkTags(added);
  await merge(deps, stream, added);
}

async function merge(deps: TagDeps, stream: Stream, added: readonly Tag[]): Promise<void> {
  const { tags_per_stream: max } = deps.limits;
  await change(deps, stream, (tags) => {
    const values = new Map([...tags, ...added].map(({ key, value }) => [key, value]));
    if (values.size > max) throw new DomainError('TooManyTags', [stream.id, max]);
    return Array.from(values, ([key, value]) => ({ key, value }));
  });
}

/** Removes the tags of these keys; those that are not there count as removed. Throws InvalidBody for an empty key. */
export async function removeTags(deps: TagDeps, stream: Stream, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) if (key === '') refuse(`tags.${index}.key`, 'must not be empty');
  const removed = new Set(keys);
  await change(deps, stream, (tags) => tags.filter(({ key }) => !removed.has(key)));
}

/** Removes one tag. Throws TagNotFound. */
export async function removeTag(deps: TagDeps, stream: Stream, key: string): Promise<void> {
  await change(deps, stream, (tags) => {
    const left = tags.filter((tag) => tag.key !== key);
    if (left.length === tags.length) throw new DomainError('TagNotFound', [key.slice(0, 64)]);
    return left;
  });
}

/** Every key of the streams with every value that it has somewhere, both in order of code unit. */
export function collectTags(streams: Iterable<Stream>): { readonly key: string; readonly values: readonly string[] }[] {
  const values = new Map<string, Set<string>>();
  for (const { tags } of streams) {
    for (const { key, value } of tags) {
      const known = values.get(key);
      if (known === undefined) values.set(key, new Set([value]));
      else known.add(value);
    }
  }
  return [...values.keys()].sort().map((key) => ({ key, values: [...values.get(key)!].sort() }));
}

async function change(
  { streamChanges, clock }: TagDeps,
  stream: Stream,
  next: (tags: readonly Tag[]) => readonly Tag[],
): Promise<void> {
  await streamChanges.run(stream, async (current, transaction) => {
    const tags = next(current.tags);
    const updatedAt = clock.now();
    await updateStreamTags(transaction, current.number, tags, updatedAt);
    return { ...current, tags, updatedAt };
  });
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
