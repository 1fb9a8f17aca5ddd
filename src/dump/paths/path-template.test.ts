import assert from 'node:assert/strict';
import test from 'node:test';
import { isDomainError } from '../../model/errors.ts';
import { MAX_TEMPLATE_CHARACTERS, parseTemplate } from './path-template.ts';

function refuses(reason: RegExp, ...templates: readonly string[]): void {
  for (const template of templates) {
    assert.throws(
      () => parseTemplate(template),
      (error) =>
        isDomainError(error, 'InvalidBody') && /\[path_template\]/.test(error.message) && reason.test(error.message),
      template,
    );
  }
}

test('a template is text, members, key, partition and parts of time', () => {
  assert.deepEqual(parseTemplate('a/b={$.x.y}/{key}/{partition}/{yyyy}-{MM}'), {
    parts: [
      { kind: 'text', text: 'a/b=' },
      { kind: 'member', path: 'x.y' },
      { kind: 'text', text: '/' },
      { kind: 'key' },
      { kind: 'text', text: '/' },
      { kind: 'partition' },
      { kind: 'text', text: '/' },
      { kind: 'time', index: 0 },
      { kind: 'text', text: '-' },
      { kind: 'time', index: 1 },
    ],
    timeDepth: 2,
    readsMembers: true,
  });
  assert.deepEqual(parseTemplate('{yyyy}').timeDepth, 1);
  assert.equal(parseTemplate('{yyyy}/{MM}/{dd}/{HH}/{mm}').timeDepth, 5);
  assert.equal(parseTemplate('{key}').readsMembers, false);
  assert.deepEqual(parseTemplate('{$.a b/ü}').parts, [{ kind: 'member', path: 'a b/ü' }]);
});

test('braces come in pairs and hold what there is', () => {
  refuses(/braces in pairs/, '{', '}', 'a{', '{yyyy', 'yyyy}', '{{yyyy}}', '{key}}', '{$.a{}');
  refuses(
    /must not have \{/,
    '{}',
    '{YYYY}',
    '{ss}',
    '{a}',
    '{$}',
    '{$.}',
    '{$.a.}',
    '{$..a}',
    '{$.a..b}',
    '{ key}',
    '{Key}',
  );
});

test('directories have safe names and cannot be mistaken for our own', () => {
  refuses(/between single slashes/, '', '/', '/a', 'a/', 'a//b', '{key}/');
  refuses(/begins with _ or \./, '_a', '.', '..', '../a', 'a/..', 'a/_b', '_dead_letters/{key}', '.a');
  refuses(/must be letters/, 'a b', 'ä', 'a%2F', 'a\\b', 'a\n', 'a:b', '*', '{key} ');
  parseTemplate('a_b.c=d-e');
});

test('parts of time go from coarse to fine, without a gap', () => {
  refuses(
    /in the order \{yyyy\}/,
    '{MM}',
    '{yyyy}/{dd}',
    '{MM}/{yyyy}',
    '{yyyy}{yyyy}',
    '{yyyy}/{MM}/{dd}/{mm}',
    '{HH}',
  );
});

test('a directory has one value, and not more than a name can hold', () => {
  refuses(/more than one/, '{$.a}{$.b}', '{$.a}-{key}', '{key}={partition}', 'x{$.a}y{$.a}');
  parseTemplate(`${'x'.repeat(55)}{$.a}`);
  refuses(/255 characters/, `${'x'.repeat(56)}{$.a}`, `${'x'.repeat(52)}{$.a}{yyyy}`, 'x'.repeat(256));
  parseTemplate('x'.repeat(255));
});

test('both sides of the limits', () => {
  const values = (count: number) => Array.from({ length: count }, (_, i) => `{$.${i}}`).join('/');
  parseTemplate(values(8));
  refuses(/at most 8 values/, values(9));
  const long = (length: number) => `{$.${'x'.repeat(length - 4)}}`;
  parseTemplate(long(MAX_TEMPLATE_CHARACTERS));
  refuses(/at most 512 characters/, long(MAX_TEMPLATE_CHARACTERS + 1));
});
