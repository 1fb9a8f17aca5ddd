import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrincipal } from '../../test/support/principal.ts';
import { makeStream } from '../../test/support/streams.ts';
import { isDomainError, type ErrorName } from '../model/errors.ts';
import { domainIdOf } from '../model/principal.ts';
import type { StreamPolicy } from '../model/stream.ts';
import { findStream, type StreamName } from './stream-access.ts';
import { StreamRegistry } from './stream-registry.ts';

const caller = makePrincipal();
const a = makeStream({ number: 1, name: 'a' });
const b = makeStream({ number: 2, name: 'b' });

function refused(kind: ErrorName) {
  return (error: unknown) => isDomainError(error, kind);
}

test('a stream of the own project is found by name, else by id, else by an id in the place of a name', () => {
  const registry = new StreamRegistry([a, b]);
  const find = (name: StreamName) => findStream(registry, caller, name);
  assert.equal(find({ name: 'b' }), b);
  assert.equal(find({ name: 'b', id: a.id }), b);
  assert.equal(find({ id: a.id }), a);
  assert.equal(find({ name: '', id: a.id }), a);
  assert.equal(find({ name: 'unknown', id: a.id }), a);
  assert.equal(find({ name: a.id }), a);
  for (const name of [{}, { name: '', id: '' }, { name: 'constructor', id: '__proto__' }]) {
    assert.throws(() => find(name), refused('StreamNotFound'));
  }
});

test('a stream of another project does not exist for a caller that no entry accepts', () => {
  const stranger = makePrincipal({ projectId: 'other', domain: 'else', userId: 'u2' });
  for (const name of [{ name: 'a' }, { id: a.id }, { name: a.id }]) {
    assert.throws(() => findStream(new StreamRegistry([a]), stranger, name, 'getRecords'), refused('StreamNotFound'));
  }
});

test('an entry for everybody, an account or a user lets in those whom it names, for its action, unless one denies', () => {
  const stranger = makePrincipal({ projectId: 'other', domain: 'else', userId: 'u2' });
  const id = domainIdOf('else');
  const entry = (principal: string, effect: StreamPolicy['effect'] = 'accept'): StreamPolicy => ({
    principal,
    principalName: principal,
    action: 'getRecords',
    effect,
  });
  const find = (policies: readonly StreamPolicy[], name: StreamName = { id: a.id }, action?: StreamPolicy['action']) =>
    findStream(new StreamRegistry([{ ...a, policies }]), stranger, name, action ?? 'getRecords');

  for (const principal of ['*', `${id}.*`, `${id}.u2`]) assert.equal(find([entry(principal)]).id, a.id);
  for (const principal of [`${id}.u3`, `${domainIdOf('acme')}.*`, id, '']) {
    assert.throws(() => find([entry(principal)]), refused('StreamNotFound'), principal);
  }
  assert.throws(() => find([entry('*')], { id: a.id }, 'putRecords'), refused('NotPermitted'));
  assert.throws(() => find([entry('*'), entry(`${id}.u2`, 'deny')]), refused('NotPermitted'));
  assert.equal(find([entry('*'), entry(`${id}.u3`, 'deny')]).id, a.id);
  assert.throws(() => find([entry('*')], { name: 'a' }), refused('StreamNotFound'), 'by name, never');
  assert.throws(
    () => findStream(new StreamRegistry([{ ...a, policies: [entry('*')] }]), stranger, { id: a.id }),
    refused('StreamNotFound'),
    'an operation that is not shared',
  );
});
