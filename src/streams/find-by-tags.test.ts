import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { makeStream } from '../../test/support/streams.ts';
import { findByTags, type TagFilter, type TagQuestion } from './find-by-tags.ts';

const NOTHING: TagQuestion = { all: [], any: [], notAll: [], notAny: [], names: [] };

/** Few keys and values, so that filters and tags meet. */
const key = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('', 'x', 'xy', 'y');
const tags = fc
  .uniqueArray(fc.record({ key, value }), { selector: (tag) => tag.key, maxLength: 3 })
  .map((list) => new Map(list.map((tag) => [tag.key, tag.value])));
const filters = fc.uniqueArray(
  fc.record({ key, values: fc.uniqueArray(fc.oneof(value, fc.constantFrom('*', '*y', '*z')), { maxLength: 3 }) }),
  { selector: (filter) => filter.key, maxLength: 3 },
);
const question = fc.record({
  all: filters,
  any: filters,
  notAll: filters,
  notAny: filters,
  names: fc.array(fc.constantFrom('', 's', 'S1', '2'), { maxLength: 2 }),
});

/** The rules once more, said of how many filters a stream satisfies. */
function fits(
  name: string,
  has: ReadonlyMap<string, string>,
  { all, any, notAll, notAny, names }: TagQuestion,
): boolean {
  const satisfied = (list: readonly TagFilter[]) => {
    let count = 0;
    for (const { key, values } of list) {
      const own = has.get(key);
      if (own === undefined) continue;
      const exact = values.includes(own);
      const partly = values.some((wanted) => wanted[0] === '*' && own.indexOf(wanted.substring(1)) >= 0);
      if (values.length === 0 || exact || partly) count += 1;
    }
    return count;
  };
  if (satisfied(all) < all.length) return false;
  if (any.length > 0 && satisfied(any) === 0) return false;
  if (notAll.length > 0 && satisfied(notAll) === notAll.length) return false;
  if (satisfied(notAny) > 0) return false;
  return names.every((part) => new RegExp(part, 'i').test(name));
}

describe('questions about tags', () => {
  test('find what the rules say', () => {
    fc.assert(
      fc.property(fc.array(tags, { maxLength: 4 }), question, (all, asked) => {
        const streams = all.map((has, index) =>
          makeStream({
            number: index + 1,
            tags: Array.from(has, ([tagKey, tagValue]) => ({ key: tagKey, value: tagValue })),
          }),
        );
        const expected = streams.filter(({ name }, index) => fits(name, all[index]!, asked));
        assert.deepEqual(findByTags(streams, asked), expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('a question about nothing finds everything', () => {
    const streams = [makeStream(), makeStream({ number: 2, tags: [{ key: 'a', value: '' }] })];
    assert.deepEqual(findByTags(streams, NOTHING), streams);
  });
});
