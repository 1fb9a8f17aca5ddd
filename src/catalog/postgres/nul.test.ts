import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withNul, withoutNul } from './nul.ts';

const pieces = fc.constantFrom('\0', '\ufdd0', '0', 'a', '\ufdd00', '');

test('any text comes back, and nothing that is stored has U+0000', () => {
  fc.assert(
    fc.property(
      fc.array(pieces).map((some) => some.join('')),
      (text) => {
        const stored = withoutNul(text);
        assert.ok(!stored.includes('\0'));
        assert.equal(withNul(stored), text);
      },
    ),
  );
  assert.equal(withoutNul('as it stands'), 'as it stands');
});
