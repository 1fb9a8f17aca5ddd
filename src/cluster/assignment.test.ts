import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignLeases } from './assignment.ts';

const NAMES = Array.from({ length: 10_000 }, (_, at) => `dump/task${at >> 4}/${at & 15}`);
const someNames = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 200 });
const someNodes = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });

test('every lease has a node, no node has more than its share, and the order of what is given does not matter', () => {
  fc.assert(
    fc.property(someNames, someNodes, (names, nodes) => {
      const assigned = assignLeases(names, nodes);
      assert.deepEqual([...assigned.keys()].toSorted(), names.toSorted());
      const share = Math.ceil(names.length / nodes.length);
      for (const node of nodes) assert.ok([...assigned.values()].filter((one) => one === node).length <= share);
      const again = assignLeases(names.toReversed(), nodes.toReversed());
      for (const name of names) assert.equal(again.get(name), assigned.get(name));
    }),
  );
  assert.equal(assignLeases(['a'], []).size, 0);
});

test('when a node comes or goes, little more moves than has to', () => {
  for (const count of [2, 3, 5, 9]) {
    const nodes = Array.from({ length: count }, (_, at) => `node-${at}`);
    const before = assignLeases(NAMES, nodes);
    for (const others of [nodes.slice(1), [...nodes, 'another']]) {
      const after = assignLeases(NAMES, others);
      const moved = NAMES.filter((name) => after.get(name) !== before.get(name)).length;
      const needed = NAMES.length / Math.max(count, others.length);
      assert.ok(moved < needed * 1.5, `${moved} of ${NAMES.length} moved from ${count} to ${others.length} nodes`);
    }
  }
});
