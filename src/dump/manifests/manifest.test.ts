/** Manifests from end to end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';

const HOUR = 3_600_000;
const HOURLY = {
  file_prefix: 'files',
  partition_format: 'yyyy/MM/dd/HH',
  consumer_strategy: 'TRIM_HORIZON',
  manifest: true,
} as const;

test(
  'a complete hour is told once',
  withRig(
    async (rig) => {
      const id = await rig.create(HOURLY);
      for (const letter of ['a', 'b']) {
        await rig.put(0, `${letter}0`);
        await rig.put(1, `${letter}1`);
        await rig.advance(60_000);
      }
      await rig.advance(HOUR - 130_000);
      assert.equal((await rig.keys('bucket')).length, 4);
      await rig.advance(20_000);
      const keys = (await rig.keys('bucket')).filter((key) => key.includes('_manifests'));
      assert.deepEqual(keys, [`files/_manifests/${id}/2026/01/01/00.json`]);
      console.log(await rig.object('bucket', keys[0]!));
      console.log(rig.complaints);
    },
    { partitions: 2 },
  ),
);
