import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assign, type Assignment, type SharedStream } from './assignment.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const NOBODY: ReadonlyMap<string, Assignment> = new Map();

function plain(assignment: ReadonlyMap<string, Assignment>): Record<string, Record<string, readonly number[]>> {
  return Object.fromEntries([...assignment].sort().map(([member, owned]) => [member, Object.fromEntries(owned)]));
}

test('without a past members get runs of neighbours, in the order of their ids', () => {
  const streams = [{ stream: 1, partitions: range(7), subscribers: ['c', 'a', 'b'] }];
  assert.deepEqual(plain(assign(streams, NOBODY)), {
    a: { 1: [0, 1, 2] },
    b: { 1: [3, 4] },
    c: { 1: [5, 6] },
  });
});

test('what does not divide is spread over the streams, so that totals are even too', () => {
  const subscribers = ['a', 'b', 'c'];
  const streams = [1, 2, 3].map((stream) => ({ stream, partitions: [0], subscribers }));
  assert.deepEqual(plain(assign(streams, NOBODY)), { a: { 1: [0] }, b: { 2: [0] }, c: { 3: [0] } });
});

test('more members than partitions: some get nothing', () => {
  const streams = [{ stream: 1, partitions: [4, 9], subscribers: ['a', 'b', 'c'] }];
  assert.deepEqual(plain(assign(streams, NOBODY)), { a: { 1: [4] }, b: { 1: [9] }, c: {} });
});

test('who joins takes from those who have too much; who leaves hands over to those who have too little', () => {
  const two = { stream: 1, partitions: range(8), subscribers: ['a', 'b'] };
  const before = assign([two], NOBODY);
  const joined = assign([{ ...two, subscribers: ['a', 'aa', 'b'] }], before);
  assert.deepEqual(plain(joined), { a: { 1: [0, 1, 2] }, aa: { 1: [3, 7] }, b: { 1: [4, 5, 6] } });
  const left = assign([two], joined);
  assert.deepEqual(plain(left), plain(before));
});

test('partitions that are new are shared, and those that are gone leave no trace', () => {
  const before = assign([{ stream: 1, partitions: range(4), subscribers: ['a', 'b'] }], NOBODY);
  const grown = assign([{ stream: 1, partitions: range(6), subscribers: ['a', 'b'] }], before);
  assert.deepEqual(plain(grown), { a: { 1: [0, 1, 4] }, b: { 1: [2, 3, 5] } });
  const shrunk = assign([{ stream: 1, partitions: [0, 1, 2], subscribers: ['a', 'b'] }], grown);
  assert.deepEqual(plain(shrunk), { a: { 1: [0, 1] }, b: { 1: [2] } });
});

interface Situation {
  readonly streams: SharedStream[];
  readonly members: readonly string[];
}

/** Groups of up to eight members; `alike`: all of them subscribe to every stream. */
const situation = (alike: boolean): fc.Arbitrary<Situation> =>
  fc
    .tuple(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 }))
    .chain(([size, counts]) => {
      const members = range(size).map((index) => `m${index}`);
      const some = alike
        ? fc.constant(members)
        : fc
            .subarray([...members], { minLength: 1 })
            .chain((chosen) => fc.shuffledSubarray(chosen, { minLength: chosen.length }));
      return fc.tuple(...counts.map(() => some)).map((subscribers) => ({
        members,
        streams: counts.map((count, stream) => ({
          stream,
          partitions: range(count),
          subscribers: subscribers[stream]!,
        })),
      }));
    });

const ownedOf = (assignment: ReadonlyMap<string, Assignment>, member: string, stream: number) =>
  assignment.get(member)?.get(stream) ?? [];
const total = (assignment: ReadonlyMap<string, Assignment>, member: string) =>
  [...(assignment.get(member)?.values() ?? [])].flat().length;

/** Every partition once, by a subscriber; each stream even among its subscribers; totals as even as they can be. */
function check(streams: readonly SharedStream[], result: ReadonlyMap<string, Assignment>): void {
  for (const { stream, partitions, subscribers } of streams) {
    const given = subscribers.flatMap((member) => ownedOf(result, member, stream));
    assert.deepEqual(
      [...given].sort((a, b) => a - b),
      partitions,
      'each partition once',
    );
    const counts = subscribers.map((member) => ownedOf(result, member, stream).length);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, 'even in each stream');
    for (const from of subscribers) {
      assert.deepEqual(
        ownedOf(result, from, stream),
        [...ownedOf(result, from, stream)].sort((a, b) => a - b),
      );
      for (const to of subscribers) {
        const more = ownedOf(result, from, stream).length > ownedOf(result, to, stream).length;
        assert.ok(!more || total(result, from) <= total(result, to) + 1, 'no partition could even the totals out');
      }
    }
  }
}

test('property: complete, disjoint and even, whatever was before', () => {
  fc.assert(
    fc.property(situation(false), situation(false), ({ streams }, earlier) => {
      check(streams, assign(streams, NOBODY));
      check(streams, assign(streams, assign(earlier.streams, NOBODY)));
      const all = new Map(earlier.members.map((member) => [member, new Map([[0, range(9)]])]));
      check(streams, assign(streams, all));
    }),
  );
});

test('property: when all subscribe to the same streams no two totals differ by more than one', () => {
  fc.assert(
    fc.property(situation(true), situation(true), ({ streams, members }, earlier) => {
      const totals = members.map((member) => total(assign(streams, assign(earlier.streams, NOBODY)), member));
      assert.ok(Math.max(...totals) - Math.min(...totals) <= 1);
    }),
  );
});

test('property: nothing changes when nothing has changed', () => {
  fc.assert(
    fc.property(situation(false), ({ streams }) => {
      const before = assign(streams, NOBODY);
      assert.deepEqual(plain(assign(streams, before)), plain(before));
    }),
  );
});

test('property: of one stream no more is moved than balance needs', () => {
  const count = fc.integer({ min: 0, max: 20 });
  const group = fc.subarray(['a', 'b', 'c', 'd', 'e', 'f'], { minLength: 1 });
  fc.assert(
    fc.property(count, group, count, group, (partitionsBefore, membersBefore, partitions, members) => {
      const before = assign([{ stream: 1, partitions: range(partitionsBefore), subscribers: membersBefore }], NOBODY);
      const after = assign([{ stream: 1, partitions: range(partitions), subscribers: members }], before);
      const kept = (member: string) =>
        ownedOf(after, member, 1).filter((number) => ownedOf(before, member, 1).includes(number)).length;
      // The best that can be done: as many members as may have one more keep it, and nobody keeps more than that.
      const base = Math.floor(partitions / members.length);
      const held = members.map((member) => ownedOf(before, member, 1).filter((number) => number < partitions).length);
      const more = Math.min(partitions % members.length, held.filter((number) => number > base).length);
      const best = held.reduce((sum, number) => sum + Math.min(number, base), 0) + more;
      assert.equal(
        members.reduce((sum, member) => sum + kept(member), 0),
        best,
      );
    }),
  );
});

test('property: when a member joins or leaves, the others pass hardly anything among themselves', () => {
  fc.assert(
    fc.property(situation(true), ({ streams, members }) => {
      const before = assign(streams, NOBODY);
      const grown = streams.map((stream) => ({ ...stream, subscribers: [...members, 'new'] }));
      const joined = assign(grown, before);
      const left = assign(streams, joined);
      const gained = (after: ReadonlyMap<string, Assignment>, earlier: ReadonlyMap<string, Assignment>) =>
        streams.flatMap(({ stream }) =>
          members.flatMap((member) => {
            const own = ownedOf(earlier, member, stream);
            return ownedOf(after, member, stream).filter((number) => !own.includes(number));
          }),
        ).length;
      // Mostly nothing. To keep both each stream and the totals even, a one-more has to change hands now and then.
      assert.ok(gained(joined, before) <= streams.length, 'who joins takes, and nobody else');
      assert.ok(gained(joined, left) <= streams.length, 'who stays keeps');
    }),
  );
});
