/** Tasks whose stream gives its records another form: who follows, who refuses, and what planned files keep. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { isDomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import { createTask } from '../tasks/create-task.ts';
import { parseStoredSettings, type DumpDescriptor } from './settings.ts';
import { updateTask } from '../tasks/update-task.ts';

const schema = (...names: string[]) =>
  JSON.stringify({ type: 'record', name: 'r', fields: names.map((name) => ({ name, type: 'string' })) });

/** As an update of the stream does it: its check, the registry, and then whoever follows. */
async function change(rig: DumpRig, form: Partial<Stream>): Promise<void> {
  const current = rig.registry.byNumber(rig.stream.number)!;
  rig.engine.checkStreamUpdate({ ...current, ...form });
  rig.registry.add({ ...current, ...form });
  await rig.engine.followStreams();
}
const create = (rig: DumpRig, more: Partial<DumpDescriptor>) =>
  createTask(rig.services, rig.registry.byNumber(rig.stream.number)!, {
    task_name: 'archive',
    obs_bucket_path: 'bucket',
    ...more,
  });
const versions = (rig: DumpRig) =>
  rig.catalog.db.selectFrom('dump_task_versions').selectAll().orderBy('task_id').orderBy('version').execute();
const forms = async (rig: DumpRig) => (await versions(rig)).map(({ settings }) => parseStoredSettings(settings).form);

test(
  'a task gets a version for each form that its stream has; one with a schema of its own keeps that',
  withRig(async (rig) => {
    await change(rig, { dataType: 'JSON' });
    const id = await create(rig, { destination_file_type: 'parquet' });
    await change(rig, { dataSchema: schema('a') });
    await change(rig, { retentionHours: 48 });
    await change(rig, { dataSchema: schema('a', 'b') });
    const told = (await forms(rig)).map(({ dataSchema }) => dataSchema);
    assert.deepEqual(told, [undefined, schema('a'), schema('a', 'b')]);
    assert.equal(rig.engine.task(id)?.version, 3);
    assert.equal(rig.engine.task(id)?.settings.form.dataSchema, schema('a', 'b'));

    const own = await create(rig, { task_name: 'own', destination_file_type: 'parquet', data_schema: schema('z') });
    await change(rig, { dataSchema: schema('c') });
    assert.equal(rig.engine.task(own)?.version, 1);
    assert.equal(rig.engine.task(id)?.version, 4);
    await change(rig, { dataType: 'CSV', csvDelimiter: ';' });
    const { settings } = rig.engine.task(own)!;
    assert.deepEqual(settings.form, { dataType: 'CSV', dataSchema: schema('z'), csvDelimiter: ';' });
  }),
);

test(
  'a change that a task could not follow is refused, by name, and nothing follows it',
  withRig(async (rig) => {
    await change(rig, { dataType: 'JSON', dataSchema: schema('a') });
    await create(rig, { destination_file_type: 'csv' });
    await create(rig, { task_name: 'text' });
    const refusal = (reason: RegExp) => (error: unknown) =>
      isDomainError(error, 'InvalidBody') && reason.test(error.message);
    await assert.rejects(
      change(rig, { dataType: 'BLOB' }),
      refusal(/\[data_type\]\[the dump task archive could not go on:/),
    );
    await assert.rejects(change(rig, { dataType: 'CSV' }), refusal(/needs a stream of data_type JSON/));
    assert.equal((await versions(rig)).length, 2);
    await updateTask(rig.services, rig.registry.byNumber(rig.stream.number)!, {
      task_name: 'archive',
      obs_bucket_path: 'b',
    });
    await change(rig, { dataType: 'BLOB' });
    assert.deepEqual((await forms(rig)).map(({ dataType }) => dataType).toSorted(), [
      'BLOB',
      'BLOB',
      'JSON',
      'JSON',
      'JSON',
    ]);
  }),
);

test(
  'a task that has finished keeps the form by which its files were made, and refuses nothing',
  withRig(async (rig) => {
    await change(rig, { dataType: 'JSON', dataSchema: schema('a') });
    const task = rig.engine.task(await create(rig, { destination_file_type: 'parquet' }))!;
    task.state = 'FINISHED';
    await change(rig, { dataSchema: schema('a', 'b') });
    await change(rig, { dataType: 'BLOB' });
    await rig.advance(2000);
    assert.deepEqual([task.version, task.settings.form.dataSchema], [1, schema('a')]);
  }),
);

test(
  'what a crash or a lost answer has cut short is made good by the next look',
  withRig(async (rig) => {
    const id = await rig.create();
    rig.registry.add({ ...rig.stream, dataType: 'JSON' });
    await rig.crash();
    assert.equal(rig.engine.task(id)?.settings.form.dataType, 'JSON');
    rig.catalogFaults.push('lose answer');
    await change(rig, { dataType: 'CSV' });
    assert.equal(rig.engine.task(id)?.settings.form.dataType, 'JSON');
    await rig.advance(1000);
    assert.equal(rig.engine.task(id)?.settings.form.dataType, 'CSV');
    assert.deepEqual(
      (await versions(rig)).map(({ version }) => version),
      [1, 2, 3],
    );
    rig.catalogFaults.push('refuse');
    await change(rig, { dataType: 'BLOB' });
    await rig.advance(1000);
    assert.deepEqual(
      (await versions(rig)).map(({ version }) => version),
      [1, 2, 3, 4],
    );
    assert.equal(rig.engine.task(id)?.version, 4);
  }),
);

test(
  'a file that is planned is finished in the form in which it was planned',
  withRig(async (rig) => {
    await rig.create();
    rig.store.faults.push('hang');
    await rig.put(0, 'a');
    await rig.advance(60_000);
    await change(rig, { dataType: 'JSON' });
    await rig.put(0, 'b');
    await rig.crash();
    await rig.advance(61_000);
    assert.deepEqual(
      (await rig.rows()).map(({ task_version }) => task_version),
      [1, 2],
    );
    assert.deepEqual(await rig.files(), ['a\n', 'b\n']);
  }),
);
