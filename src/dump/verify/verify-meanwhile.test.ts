/** What happens while a task is verified is no finding; and a verification ends when it is not wanted any more. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import type { KyselyPlugin } from 'kysely';
import { DumpRig, PROJECT, withRig } from '../../../test/support/dump-rig.ts';
import { insertLogRows, type DumpLogRow } from '../../catalog/dump-log.ts';
import { isDomainError } from '../../model/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { DumpServices } from '../dump-services.ts';
import { Verifications } from './verifications.ts';
import { verifyTask } from './verify-task.ts';

function onRig(name: string, run: (rig: DumpRig, id: string) => Promise<void>): void {
  test(
    name,
    withRig(async (rig) => {
      const id = await rig.create({ file_prefix: 'in', consumer_strategy: 'TRIM_HORIZON' });
      for (const text of ['a', 'b', 'c']) {
        await rig.put(0, text);
        await rig.advance(60_000);
      }
      await run(rig, id);
    }),
  );
}

const request = (taskId: string, signal = new AbortController().signal) => ({
  projectId: PROJECT,
  taskId,
  contents: false,
  records: false,
  signal,
});

/** Kinds of the findings. */
async function kinds(services: DumpServices, taskId: string, signal?: AbortSignal): Promise<string[]> {
  const { findings } = await verifyTask(services, request(taskId, signal));
  const found: string[] = [];
  for await (const { kind } of findings) found.push(kind);
  return found;
}

/** Services in whose store something happens after a listing, or before an object is read. */
function withStore(rig: DumpRig, hooks: { listed?: () => Promise<void>; reads?: (key: string) => Promise<void> }) {
  const { store } = rig;
  const objectStore: ObjectStore = Object.create(store, {
    list: {
      async *value(bucket: string, prefix: string) {
        const objects = [];
        for await (const object of store.list(bucket, prefix)) objects.push(object);
        await hooks.listed?.();
        yield* objects;
      },
    },
    read: {
      async *value(bucket: string, key: string) {
        await hooks.reads?.(key);
        yield* store.read(bucket, key);
      },
    },
    head: { value: (bucket: string, key: string) => store.head(bucket, key) },
  }) as ObjectStore;
  return { ...rig.services, objectStore };
}

async function write(rig: DumpRig, key: string, text: string) {
  async function* body() {
    yield Buffer.from(text);
  }
  await rig.store.put('bucket', key, body(), { contentType: 'text/plain' });
  return { bytes: text.length, checksum: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}

const change = (rig: DumpRig, { id }: DumpLogRow, set: Partial<DumpLogRow>) =>
  rig.catalog.db.updateTable('dump_log').set(set).where('id', '=', id).execute();

onRig('a merge that is committed between two pages of the log', async (rig, id) => {
  const inputs = await rig.rows();
  const { id: _, ...last } = inputs.at(-1)!; // eslint-disable-line @typescript-eslint/no-unused-vars
  const warning = { ...last, kind: 'warning', state: 1, created_at: last.created_at + 1, object_key: '' };
  await insertLogRows(rig.catalog.db, Array<typeof warning>(1000).fill(warning));
  const key = `in/${id}.orders.merged.${last.created_at + 2}`;
  const merged = { ...last, ...(await write(rig, key, 'a\nb\nc\n')), kind: 'merge', partition: -1, records: 3 };
  let merges = 0;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (result.rows.length < 1000 || merges > 0) return result;
      merges += 1;
      await insertLogRows(rig.catalog.db, [{ ...merged, object_key: key, created_at: last.created_at + 2 }]);
      const merge = (await rig.rows()).at(-1)!;
      for (const row of inputs) await change(rig, row, { merge_id: merge.id, superseded_at: 1 });
      return result;
    },
  };
  const catalog = { ...rig.catalog, scanner: rig.catalog.scanner.withPlugin(plugin) };
  assert.deepEqual(await kinds({ ...rig.services, catalog }, id), []);
  assert.equal(merges, 1);
  await rig.catalog.db.updateTable('dump_log').set({ records: 4 }).where('kind', '=', 'merge').execute();
  assert.deepEqual(await kinds(rig.services, id), ['count']);
});

onRig('rows that are pruned after their objects were listed', async (rig, id) => {
  const { db } = rig.catalog;
  const listed = async () => {
    await db
      .updateTable('dump_tasks')
      .set({ log_begin: rig.clock.now() + 1 })
      .execute();
    await db.deleteFrom('dump_log').execute();
  };
  assert.deepEqual(await kinds(withStore(rig, { listed }), id), []);
});

onRig('a file that a merge replaced after it was listed', async (rig, id) => {
  const [row] = await rig.rows();
  const listed = async () => {
    await change(rig, row!, { superseded_at: 1, removed_at: 1 });
    await rig.store.delete('bucket', row!.object_key);
  };
  assert.deepEqual(await kinds(withStore(rig, { listed }), id), []);
  await write(rig, row!.object_key, 'a\n');
  assert.deepEqual(await kinds(rig.services, id), ['foreign']);
});

onRig('dead letters whose cut is committed after the log was walked', async (rig, id) => {
  const [row] = await rig.rows();
  const key = `in/_dead_letters/${row!.file_name}.jsonl`;
  const { bytes, checksum } = await write(rig, key, '{}\n');
  const dead = {
    dead_letters: 1,
    dead_letter_key: key,
    dead_letter_bytes: bytes,
    dead_letter_checksum: checksum,
  };
  assert.deepEqual(await kinds(withStore(rig, { listed: async () => void (await change(rig, row!, dead)) }), id), []);
  await change(rig, row!, { ...dead, records: 0 });
  await write(rig, key, '{ }');
  assert.deepEqual(await kinds(rig.services, id), ['altered']);
  await rig.store.delete('bucket', key);
  assert.deepEqual(await kinds(rig.services, id), ['missing']);
});

onRig('a manifest that is being stored', async (rig, id) => {
  const { db } = rig.catalog;
  const key = `in/_manifests/${id}/2026/01.json`;
  const row = { task_id: id, period: 0, number: 0, bucket: 'bucket', object_key: key, created_at: 0 };
  const sums = { files: 0, records: 0, bytes: 0, stored_at: null, checksum: null, etag: null };
  await db
    .insertInto('dump_manifests')
    .values({ ...row, ...sums })
    .execute();
  const { checksum } = await write(rig, key, '{}');
  assert.deepEqual(await kinds(rig.services, id), []);
  await db.updateTable('dump_manifests').set({ stored_at: 1, checksum }).execute();
  assert.deepEqual(await kinds(rig.services, id), []);
  await write(rig, key, '{ }');
  assert.deepEqual(await kinds(rig.services, id), ['altered']);
  await rig.store.delete('bucket', key);
  assert.deepEqual(await kinds(rig.services, id), ['missing']);
});

onRig('an object that is gone when it is to be read', async (rig, id) => {
  const [row, other] = await rig.rows();
  const reads = async (key: string) => {
    if (key !== row!.object_key) return;
    await rig.store.delete('bucket', key);
    await change(rig, row!, { superseded_at: 1 });
  };
  assert.deepEqual(await kinds(withStore(rig, { reads }), id), []);
  const loses = async (key: string) => {
    if (key === other!.object_key) await rig.store.delete('bucket', key);
  };
  assert.deepEqual(await kinds(withStore(rig, { reads: loses }), id), ['missing']);
});

onRig('of a deleted stream nothing is made again', async (rig, id) => {
  await rig.log.deleteStream(rig.stream.number);
  const { summary, findings } = await verifyTask(rig.services, { ...request(id), records: true });
  for await (const finding of findings) assert.fail(finding.detail);
  assert.deepEqual([summary.files, summary.cutsRemade], [3, 0]);
});

onRig('a caller who is gone ends it, though nothing is found', async (rig, id) => {
  const gone = new AbortController();
  let reads = 0;
  const services = withStore(rig, {
    async reads() {
      reads += 1;
      gone.abort(new Error('gone'));
    },
  });
  await assert.rejects(kinds(services, id, gone.signal), /^Error: gone$/);
  assert.equal(reads, 1);
});

onRig('two run at a time; a third is refused until one is over', async (rig, id) => {
  const verifications = new Verifications(rig.services);
  const [first, second] = [new AbortController(), new AbortController()];
  await verifications.begin(request(id, first.signal));
  await verifications.begin(request(id, second.signal));
  await assert.rejects(verifications.begin(request(id)), (error) => isDomainError(error, 'TooManyRequests'));
  first.abort();
  await verifications.begin(request(id));
  await assert.rejects(verifications.begin(request(id)), (error) => isDomainError(error, 'TooManyRequests'));
});
