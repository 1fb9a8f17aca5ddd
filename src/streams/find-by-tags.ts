/**
 * Which streams fit a question about tags. A filter names keys, each with the values it may have (none named: any); the
 * four filters of a question must all be satisfied, and one that names no key asks for nothing.
 */
import { DomainError } from '../model/errors.ts';
import type { Stream } from '../model/stream.ts';
import { LONGEST_KEY, LONGEST_VALUE } from './tags.ts';

/** A key, and the values of it that fit; none: any value. One that begins with `*` fits all that contain the rest of it. */
export interface TagFilter {
  readonly key: string;
  readonly values: readonly string[];
}

export interface TagQuestion {
  /** The stream has all of these. */
  readonly all: readonly TagFilter[];
  /** It has at least one of these. */
  readonly any: readonly TagFilter[];
  /** It does not have all of these. */
  readonly notAll: readonly TagFilter[];
  /** It has none of these. */
  readonly notAny: readonly TagFilter[];
  /** Each is part of the stream's name, in any case. */
  readonly names: readonly string[];
}

const MOST_KEYS = 10;
const MOST_VALUES = 10;

/** The streams that fit, in their order. */
export function findByTags(streams: readonly Stream[], question: TagQuestion): Stream[] {
  const names = question.names.map((name) => name.toLowerCase());
  return streams.filter(({ name, tags }) => {
    const has = ({ key, values }: TagFilter) =>
      tags.some((tag) => tag.key === key && (values.length === 0 || values.some((value) => fits(tag.value, value))));
    const { all, any, notAll, notAny } = question;
    return (
      all.every(has) &&
      (any.length === 0 || any.some(has)) &&
      (notAll.length === 0 || !notAll.every(has)) &&
      !notAny.some(has) &&
      names.every((part) => name.toLowerCase().includes(part))
    );
  });
}

/** Throws InvalidBody for a filter that cannot be; `member` is its name in the request. */
export function checkTagFilters(filters: readonly TagFilter[], member: string): void {
  if (filters.length > MOST_KEYS) refuse(member, `must have at most ${MOST_KEYS} keys`);
  const keys = new Set<string>();
  for (const [index, { key, values }] of filters.entries()) {
    if (key === '' || key.length > LONGEST_KEY)
      refuse(`${member}.${index}.key`, `must be 1 to ${LONGEST_KEY} characters`);
    if (keys.has(key)) refuse(`${member}.${index}.key`, 'must be unique');
    keys.add(key);
    if (values.length > MOST_VALUES) refuse(`${member}.${index}.values`, `must be at most ${MOST_VALUES}`);
    if (new Set(values).size < values.length) refuse(`${member}.${index}.values`, 'must be unique');
    if (values.some((value) => value.replace(/^\*/, '').length > LONGEST_VALUE)) {
      refuse(`${member}.${index}.values`, `must have at most ${LONGEST_VALUE} characters each`);
    }
  }
}

function fits(value: string, wanted: string): boolean {
  return wanted.startsWith('*') ? value.includes(wanted.slice(1)) : value === wanted;
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
