/** No object stays that no committed row tells of, when a cut turns out smaller than an earlier attempt at it. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { withRig } from '../../../test/support/dump-rig.ts';
import type { WrittenCut } from './cut.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import { removeWrittenCut } from './remove-objects.ts';

const BY_COUNTRY = { path_template: 'c={$.c}', file_prefix: 'in' };
const JSON_STREAM = { dataType: 'JSON' } as const;

test(
  'records that are lost after an attempt had stored their file: the file goes, and so does what a given-up cut had',
  withRig(async (rig) => {
    await rig.create(BY_COUNTRY);
    await rig.put(0, '{"c":"a"}', '{"c":"b"}', 'no JSON');
    // All of its three objects are stored, but of the last one nobody hears.
    rig.store.faults.push('none', 'none', 'after');
    await rig.advance(60_000);
    assert.equal((await rig.keys('bucket')).length, 3);
    const ref = { stream: rig.stream.number, partition: 0 };
    rig.log.damage(ref, 1, 3);
    rig.store.failDeletes = true;
    await rig.advance(10_000);
    assert.equal((await rig.positions())[0]!.position, 0);
    rig.store.failDeletes = false;
    await rig.advance(100_000);
    assert.equal((await rig.positions())[0]!.position, 3);
    const ends = (await rig.rows()).filter(({ state, given_up }) => state === 0 || given_up === 1);
    assert.deepEqual(
      ends.map(({ state, path, first_sequence, next_sequence }) => [state, path, first_sequence, next_sequence]),
      [
        [0, 'c=a', 0, 1],
        [1, '', 1, 3],
      ],
    );
    assert.deepEqual(await rig.keys('bucket'), [ends[0]!.object_key]);
  }, JSON_STREAM),
);

test(
  'a cut of many files whose task is deleted before its commit leaves nothing, and other cuts alone',
  withRig(async (rig) => {
    await rig.create(BY_COUNTRY);
    await rig.put(0, '{"c":"a"}');
    await rig.advance(60_000);
    const [delivered] = await rig.keys('bucket');
    await rig.put(0, '{"c":"a"}', '{"c":"b"}', 'no JSON');
    // Written, and not committed: the catalog refuses.
    rig.catalogFaults.push('none', 'refuse');
    await rig.advance(60_000);
    assert.equal((await rig.keys('bucket')).length, 4);
    await deleteTask(rig.services, rig.stream, 'archive');
    await rig.advance(5000);
    assert.deepEqual(await rig.keys('bucket'), [delivered]);
  }, JSON_STREAM),
);

test(
  'what was written of a cut is removed by its keys, as far as the store lets it',
  withRig(async (rig) => {
    const keys = ['a', 'b', 'dead', 'other'];
    for (const key of keys) {
      await rig.store.put('bucket', key, Readable.from([Buffer.from(key)]), { contentType: 'text/plain' });
    }
    const files = ['a', 'b'].map((key) => ({ key })) as unknown as WrittenCut['files'];
    const deadLetters = { key: 'dead', records: 1, bytes: 4, checksum: '' };
    const cut = { next: 1, files, deadLetters, columns: undefined };
    rig.store.failDeletes = true;
    await assert.rejects(removeWrittenCut(rig.store, 'bucket', cut), { kind: 'ObjectStoreRefused' });
    rig.store.failDeletes = false;
    await removeWrittenCut(rig.store, 'bucket', cut);
    assert.deepEqual(await rig.keys('bucket'), ['other']);
  }),
);
