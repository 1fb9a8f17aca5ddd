/** deliver_idle_interval: a stream that has fallen silent does not wait for its interval. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';

/** The first file is due 10 s after the newest record; a look is every half second. */
const create = (rig: DumpRig) => rig.create({ deliver_time_interval: 300, deliver_idle_interval: 10 });

test(
  'a file is cut when nothing has come for the idle interval, not a second earlier',
  withRig(async (rig) => {
    await create(rig);
    await rig.advance(5000);
    await rig.put(0, 'a');
    await rig.advance(9000);
    await rig.put(0, 'b');
    await rig.advance(9000);
    assert.deepEqual(await rig.rows(), []);
    await rig.advance(2000);
    assert.deepEqual(await rig.files(), ['a\nb\n']);
    // Silence alone makes no file.
    await rig.advance(1_000_000);
    assert.equal((await rig.rows()).length, 1);
  }),
);

test(
  'records that keep coming are cut by the interval',
  withRig(async (rig) => {
    await create(rig);
    for (let second = 0; second < 299; second += 5) {
      await rig.put(0, 'x');
      await rig.advance(5000);
    }
    const rows = await rig.rows();
    assert.deepEqual(
      rows.map(({ records, end_time, start_time }) => [records, end_time - start_time]),
      [[60, 300_000]],
    );
  }),
);

test(
  'the wall clock may jump; after a restart the silence counts from the first look',
  withRig(async (rig) => {
    await create(rig);
    await rig.put(0, 'a');
    await rig.advance(5000);
    rig.clock.jump(-3_600_000);
    await rig.advance(4000);
    assert.deepEqual(await rig.rows(), []);
    await rig.crash();
    await rig.advance(9000);
    assert.deepEqual(await rig.rows(), []);
    await rig.advance(2000);
    assert.deepEqual(await rig.files(), ['a\n']);
  }),
);

test(
  'without an idle interval silence cuts nothing',
  withRig(async (rig) => {
    await rig.create();
    await rig.put(0, 'a');
    await rig.advance(59_000);
    assert.deepEqual(await rig.rows(), []);
  }),
);
