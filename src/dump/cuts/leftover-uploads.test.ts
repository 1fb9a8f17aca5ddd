import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig } from '../../../test/support/dump-rig.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import { updateTask } from '../tasks/update-task.ts';
import { removeLeftoverUploads } from './leftover-uploads.ts';

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

test(
  'uploads are looked for wherever a task has ever delivered to, also after it is gone',
  withRig(async (rig) => {
    const taskId = await rig.create({ file_prefix: 'a/' });
    const descriptor = { task_name: 'archive', obs_bucket_path: 'bucket', deliver_time_interval: 60 };
    await updateTask(rig.services, rig.stream, { ...descriptor, file_prefix: 'b/' });
    await updateTask(rig.services, rig.stream, { ...descriptor, obs_bucket_path: 'other', file_prefix: 'b/' });
    await updateTask(rig.services, rig.stream, { ...descriptor, file_prefix: 'a/' });
    await deleteTask(rig.services, rig.stream, 'archive');

    const asked: string[] = [];
    const { catalog, store: objects, clock } = rig;
    rig.store.removeLeftovers = async (bucket, prefix, isOurs) => {
      asked.push(`${bucket} ${prefix}`);
      assert.equal(isOurs(`${prefix}dir/${taskId}.s.0.1`, clock.now()), true);
      assert.equal(isOurs(`${prefix}dir/stranger.s.0.1`, 0), false);
      assert.equal(isOurs(`${prefix}_manifests/${taskId}/2026/01/02.1.json`, 0), true);
      assert.equal(isOurs(`${prefix}_manifests/${'x'.repeat(19)}/2026/01/02.json`, 0), false);
      return 1;
    };
    await removeLeftoverUploads({ catalog, objects, clock, shared: false, logger });
    assert.deepEqual(asked.sort(), ['bucket a/', 'bucket b/', 'other b/']);
  }),
);

test(
  'where other nodes deliver, too, an upload is left over after a day',
  withRig(async (rig) => {
    const taskId = await rig.create();
    const { catalog, store: objects, clock } = rig;
    const day = 24 * 3_600_000;
    objects.removeLeftovers = async (_bucket, _prefix, isOurs) => {
      assert.equal(isOurs(`${taskId}.s.0.1`, clock.now() - day), true);
      assert.equal(isOurs(`${taskId}.s.0.1`, clock.now() - day + 1), false);
      return 0;
    };
    await removeLeftoverUploads({ catalog, objects, clock, shared: true, logger });
  }),
);
