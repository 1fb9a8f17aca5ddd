/** A delivered task is proved; whatever is broken behind its back is found, exactly that and nothing else. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DumpRig, PROJECT } from '../../../test/support/dump-rig.ts';
import { isDomainError } from '../../model/errors.ts';
import { systemClock, type Clock } from '../../platform/clock.ts';
import { LogPruner } from '../dump-log/log-pruner.ts';
import type { Finding } from './finding.ts';
import { verifyTask, type VerifyRequest } from './verify-task.ts';

async function verify(rig: DumpRig, taskId: string, more: Partial<VerifyRequest> = {}) {
  const request = { projectId: PROJECT, taskId, contents: false, records: false, ...more };
  const signal = new AbortController().signal;
  const { summary, findings } = await verifyTask(rig.services, { signal, ...request });
  const found: Finding[] = [];
  for await (const finding of findings) found.push(finding);
  assert.equal(summary.findings, found.length);
  return { summary, found };
}

/** Two partitions with three files each, two records a file. */
async function deliver(rig: DumpRig, prefix = 'in'): Promise<string> {
  const id = await rig.create({ file_prefix: prefix, consumer_strategy: 'TRIM_HORIZON' });
  for (let round = 0; round < 3; round += 1) {
    for (const partition of [0, 1]) await rig.put(partition, `a${round}`, `b${round}`);
    await rig.advance(60_000);
  }
  return id;
}

const open = () => DumpRig.open({ partitions: 2 });

test('a task that delivered everything has no findings', async () => {
  await using rig = await open();
  const id = await deliver(rig);
  const { summary, found } = await verify(rig, id, { contents: true, records: true });
  assert.deepEqual(found, []);
  assert.deepEqual(summary, {
    cuts: 6,
    files: 6,
    records: 12,
    bytes: 36,
    deadLetters: 0,
    givenUp: 0,
    objects: 6,
    objectsRead: 6,
    cutsRemade: 6,
    findings: 0,
  });
});

test('what is under way and what is other people’s is no finding', async () => {
  await using rig = await open();
  const id = await deliver(rig, '');
  const other = await rig.create({ task_name: 'other', consumer_strategy: 'TRIM_HORIZON' });
  await rig.advance(60_000);
  await write(rig, 'notes.txt');
  await rig.put(0, 'c');
  rig.store.always = 'after';
  await rig.advance(60_000);
  assert.equal((await rig.rows()).filter(({ state }) => state === 2).length, 2);
  assert.deepEqual((await verify(rig, id)).found, []);
  assert.deepEqual((await verify(rig, other)).found, []);
});

test('records that were given up are told and accounted for', async () => {
  await using rig = await open();
  const id = await rig.create({ consumer_strategy: 'TRIM_HORIZON', retry_duration: 30 });
  await rig.put(0, 'a', 'b');
  rig.store.always = 'before';
  await rig.advance(180_000);
  rig.store.always = undefined;
  await rig.put(0, 'c');
  await rig.advance(120_000);
  const { summary, found } = await verify(rig, id);
  assert.deepEqual(found, []);
  assert.deepEqual([summary.givenUp, summary.records], [2, 1]);
});

test('a task of somebody else is not there', async () => {
  await using rig = await open();
  const id = await deliver(rig);
  for (const [projectId, taskId] of [
    ['f'.repeat(32), id],
    [PROJECT, 'A'.repeat(19)],
  ] as const) {
    await assert.rejects(verify(rig, taskId, { projectId }), (error) => isDomainError(error, 'TaskNotFound'));
  }
  await assert.rejects(verify(rig, 'short'), (error) => isDomainError(error, 'InvalidRequest'));
});

test('what was pruned from the log is no gap, and its objects are nobody’s', async () => {
  await using rig = await open();
  const id = await deliver(rig);
  await rig.advance(3000);
  const kept = (await rig.rows()).filter(({ created_at }) => created_at >= rig.clock.now() - 100_000);
  assert.ok(kept.length > 0 && kept.length < 6);
  // Days are the unit of the configuration; here the log is kept for less than two minutes.
  const pruner = new LogPruner({ catalog: rig.catalog, clock: systemClockAt(rig), days: 100_000 / 86_400_000 });
  await pruner.look();
  assert.deepEqual(
    (await rig.rows()).map((row) => row.id),
    kept.map((row) => row.id),
  );
  const { summary, found } = await verify(rig, id, { contents: true, records: true });
  assert.deepEqual(found, []);
  assert.equal(summary.files, kept.length);

  await rig.catalog.db.deleteFrom('dump_log').where('id', '=', kept[0]!.id).execute();
  const kinds = (await verify(rig, id)).found.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['gap', 'foreign']);
});

test('the manifests of another task with the same prefix are not foreign', async () => {
  await using rig = await open();
  const id = await deliver(rig);
  await write(rig, `in/_manifests/${'B'.repeat(19)}/2026/01.json`);
  assert.deepEqual((await verify(rig, id)).found, []);
  await write(rig, `in/_manifests/${id}/2026/01.json`);
  assert.deepEqual(
    (await verify(rig, id)).found.map(({ kind }) => kind),
    ['foreign'],
  );
});

/** Something that is broken behind our back, and what has to be found of it. `n` chooses which file. */
type Damage = 'delete' | 'flip' | 'truncate' | 'foreign' | 'lose row' | 'shift' | 'miscount' | 'double';
const DAMAGES: readonly Damage[] = ['delete', 'flip', 'truncate', 'foreign', 'lose row', 'shift', 'miscount', 'double'];

test('verify finds exactly what was broken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...DAMAGES), fc.nat({ max: 5 }), fc.boolean(), async (damage, n, records) => {
      await using rig = await open();
      const id = await deliver(rig);
      const expected = await doDamage(rig, id, damage, n);
      // Made again from the stream, a file that begins a record later is another one.
      if (records && damage === 'shift') {
        const { partition, key } = expected[1]!;
        expected.push({
          kind: 'altered',
          ...(partition === undefined ? {} : { partition }),
          ...(key === undefined ? {} : { key }),
        });
      }
      const { found } = await verify(rig, id, { records });
      const essence = found.map(({ kind, partition, first, last, key }) =>
        Object.fromEntries(
          Object.entries({ kind, partition, first, last, key }).filter(([, value]) => value !== undefined),
        ),
      );
      assert.deepEqual(essence, expected, damage);
    }),
    { numRuns: 16 },
  );
});

async function doDamage(rig: DumpRig, taskId: string, damage: Damage, n: number): Promise<Partial<Finding>[]> {
  const row = (await rig.rows())[n]!;
  const { partition, object_key: key, first_sequence: first, id } = row;
  const last = row.next_sequence - 1;
  const { db } = rig.catalog;
  const text = await rig.object('bucket', key);
  switch (damage) {
    case 'delete':
      await rig.store.delete('bucket', key);
      return [{ kind: 'missing', key }];
    case 'flip':
      await write(rig, key, text.replace('a', 'A'));
      return [{ kind: 'altered', key }];
    case 'truncate':
      await write(rig, key, text.slice(1));
      return [{ kind: 'altered', key }];
    case 'foreign': {
      const other = n % 2 === 0 ? `in/_extra/${n}` : `in/${taskId}.orders.0.17`;
      await write(rig, other);
      return [{ kind: 'foreign', key: other }];
    }
    case 'lose row':
      await db.deleteFrom('dump_log').where('id', '=', id).execute();
      return [
        { kind: 'gap', partition, first, last },
        { kind: 'foreign', key },
      ];
    case 'shift': {
      await db
        .updateTable('dump_log')
        .set({ first_sequence: first + 1 })
        .where('id', '=', id)
        .execute();
      // The record is still in the file, though the cut says that it begins later.
      return [
        { kind: 'gap', partition, first, last: first },
        { kind: 'count', partition, first: first + 1, last, key },
        { kind: 'count', partition, first, last, key },
      ];
    }
    case 'miscount':
      await db.updateTable('dump_log').set({ records: 1 }).where('id', '=', id).execute();
      return [{ kind: 'count', partition, first, last, key }];
    case 'double': {
      const copy: Partial<typeof row> = { ...row };
      delete copy.id;
      await db
        .insertInto('dump_log')
        .values(copy as Omit<typeof row, 'id'>)
        .execute();
      return [
        { kind: 'overlap', partition, first, last, key },
        { kind: 'missing', key },
      ];
    }
  }
}

async function write(rig: DumpRig, key: string, text = 'x'): Promise<void> {
  const body = (async function* () {
    yield Buffer.from(text);
  })();
  await rig.store.put('bucket', key, body, { contentType: 'text/plain' });
}

/** The time of the rig, and pauses that pass by themselves. */
function systemClockAt(rig: DumpRig): Clock {
  return { ...systemClock, now: () => rig.clock.now() };
}
