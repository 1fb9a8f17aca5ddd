/** Backfills: which records they take, what they do to their task (nothing), and how they end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DumpRig, withRig } from '../../../test/support/dump-rig.ts';
import type { Fault } from '../../../test/support/faulty-store.ts';
import { batchOf } from '../../../test/support/records.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import { listTasks } from '../tasks/list-tasks.ts';
import { stopTasks } from '../tasks/stop-tasks.ts';
import { cancelBackfill, changeBackfill } from './change-backfill.ts';
import { createBackfill, planBackfill, type BackfillRequest } from './create-backfill.ts';
import { listBackfills, showBackfill } from './show-backfill.ts';

const AGAIN = { prefix: 'again', changes: {} };

async function backfill(rig: DumpRig, request: Partial<BackfillRequest> = {}): Promise<string> {
  const { id } = await createBackfill(rig.services, rig.stream, 'archive', { ...AGAIN, ...request });
  await rig.settle();
  return id;
}

/** What each file of a task holds, in the order of their plans. */
async function filesOf(rig: DumpRig, taskId: string): Promise<string[]> {
  const rows = (await rig.rows()).filter(({ task_id, state }) => task_id === taskId && state === 0);
  return Promise.all(rows.map(({ bucket, object_key }) => rig.object(bucket, object_key)));
}

const show = (rig: DumpRig, id: string) => showBackfill(rig.services, rig.stream, 'archive', id);

test(
  'everything that is kept, or what two points say, comes again under another prefix',
  withRig(async (rig) => {
    const { clock } = rig;
    const task = await rig.create({ file_prefix: 'live', record_delimiter: ';' });
    await rig.put(0, 'a', 'b');
    clock.advance(1000);
    const second = clock.now();
    await rig.put(0, 'c');
    clock.advance(1000);
    const third = clock.now();
    await rig.put(0, 'd', 'e');

    const all = await backfill(rig);
    assert.deepEqual(await filesOf(rig, all), ['a;b;c;d;e;']);
    assert.equal(await rig.taskState(all), 'FINISHED');
    assert.match((await rig.rows()).at(-1)!.object_key, /^again\/[^/]+$/);

    const requests: [Partial<BackfillRequest>, string[]][] = [
      [{ from: { timestamp: second } }, ['c;d;e;']],
      [{ to: { timestamp: third } }, ['a;b;c;']],
      [{ from: { timestamp: second - 1 }, to: { timestamp: second + 1 } }, ['c;']],
      [{ from: { sequence_numbers: { 'shardId-0000000000': '1' } }, to: { sequence_numbers: { 0: '4' } } }, ['b;c;d;']],
      [{ from: { sequence_numbers: { 0: '1' } }, to: { timestamp: third } }, ['b;c;']],
      [{ from: { sequence_numbers: { 0: '5' } } }, []],
      [{ from: { sequence_numbers: { 0: '99' } }, to: { sequence_numbers: { 0: '999' } } }, []],
      [{ from: { timestamp: third + 1 } }, []],
      [{ changes: { record_delimiter: '|', partition_format: 'yyyy' } }, ['a|b|c|d|e|']],
    ];
    for (const [request, files] of requests) {
      const { ranges, bytes } = await planBackfill(rig.services, rig.stream, 'archive', { ...AGAIN, ...request });
      const id = await backfill(rig, request);
      assert.deepEqual(await filesOf(rig, id), files);
      assert.equal(await rig.taskState(id), 'FINISHED');
      assert.equal(
        ranges[0]!.to - ranges[0]!.from,
        files.join('').length / 2,
        'the dry run said how many records come',
      );
      assert.equal(bytes[0], (files.join('').length / 2) * 6, 'and how many bytes');
      await cancelBackfill(rig.services, rig.stream, 'archive', id);
    }
    assert.deepEqual(await filesOf(rig, task), [], 'the task itself has done nothing');
  }),
);

test(
  'only partitions that are named take part; each has a range of its own',
  withRig(
    async (rig) => {
      await rig.create({ file_prefix: 'live' });
      for (const partition of [0, 1, 2]) await rig.put(partition, `${partition}a`, `${partition}b`);
      const id = await backfill(rig, {
        from: { sequence_numbers: { 1: '1' } },
        to: { sequence_numbers: { 1: '2', 2: '1' } },
      });
      assert.deepEqual((await filesOf(rig, id)).sort(), ['1b\n', '2a\n']);
      const { partitions } = await show(rig, id);
      assert.deepEqual(
        partitions.map(({ partitionId, from, position, to }) => [partitionId.at(-1), from, position, to]),
        [
          ['1', 1, 2, 2],
          ['2', 0, 1, 1],
        ],
      );
      const empty = await backfill(rig, { to: { timestamp: 0 } });
      assert.equal(await rig.taskState(empty), 'FINISHED');
    },
    { partitions: 3 },
  ),
);

test(
  'a range that is partly expired begins at the first record that is kept, and says so',
  withRig(async (rig) => {
    await rig.create({ file_prefix: 'live' });
    const ref = { stream: rig.stream.number, partition: 0 };
    await rig.put(0, 'a', 'b', 'c', 'd');
    await rig.log.trim(ref, 2);
    const from = async (point: BackfillRequest['from']) => {
      const request = { ...AGAIN, ...(point === undefined ? {} : { from: point }) };
      const [range] = (await planBackfill(rig.services, rig.stream, 'archive', request)).ranges;
      return [range!.from, range!.truncated];
    };
    assert.deepEqual(await from({ sequence_numbers: { 0: '1' } }), [2, true]);
    assert.deepEqual(await from({ sequence_numbers: { 0: '2' } }), [2, false]);
    assert.deepEqual(await from(undefined), [2, false], 'all that is kept was asked for');
    const day = 24 * 3_600_000;
    assert.deepEqual(await from({ timestamp: rig.clock.now() - day - 1 }), [2, true]);
    assert.deepEqual(await from({ timestamp: rig.clock.now() - day }), [2, false]);
    rig.clock.advance(day - 1);
    await rig.put(0, 'e');
    rig.clock.advance(2);
    assert.deepEqual(await from({ sequence_numbers: { 0: '3' } }), [4, true], 'retention counts, not the disk');
  }),
);

test(
  'what makes no sense is refused, and nothing is made of it',
  withRig(async (rig) => {
    await rig.create({ file_prefix: 'live/' });
    await rig.put(0, 'a');
    const refused: [Partial<BackfillRequest>, string, string?][] = [
      [{ prefix: 'live' }, 'InvalidBody', 'file_prefix'],
      [{ prefix: 'no-such!' }, 'InvalidBody', 'file_prefix'],
      [{ prefix: 'x'.repeat(51) }, 'InvalidBody', 'file_prefix'],
      [{ from: {} }, 'InvalidBody', 'from'],
      [{ to: { timestamp: 1, sequence_numbers: { 0: '1' } } }, 'InvalidBody', 'to'],
      [{ from: { timestamp: -1 } }, 'InvalidBody', 'from.timestamp'],
      [{ from: { timestamp: 2 }, to: { timestamp: 1 } }, 'InvalidBody', 'from'],
      [{ from: { sequence_numbers: {} } }, 'InvalidBody', 'from.sequence_numbers'],
      [{ from: { sequence_numbers: { 0: '-1' } } }, 'InvalidBody'],
      [{ from: { sequence_numbers: { 0: '9'.repeat(16) } } }, 'InvalidBody'],
      [{ from: { sequence_numbers: { 0: '1', 'shardId-0000000000': '1' } } }, 'InvalidBody'],
      [{ from: { sequence_numbers: { 0: '2' } }, to: { sequence_numbers: { 0: '1' } } }, 'InvalidBody'],
      [{ from: { sequence_numbers: { 1: '1' } } }, 'PartitionNotFound'],
      [{ from: { sequence_numbers: { zero: '1' } } }, 'InvalidPartitionId'],
      [{ changes: { destination_file_type: 'carbon' } }, 'UnsupportedDestination'],
    ];
    for (const [request, kind, member = ''] of refused) {
      for (const ask of [planBackfill, createBackfill]) {
        const asked = ask(rig.services, rig.stream, 'archive', { ...AGAIN, ...request });
        await assert.rejects(asked, (error: Error & { kind?: string }) => {
          assert.equal(error.kind, kind, JSON.stringify(request));
          return error.message.includes(`[${member}`);
        });
      }
    }
    await assert.rejects(createBackfill(rig.services, rig.stream, 'nothing', AGAIN), { kind: 'TaskNotFound' });
    assert.equal((await rig.positions()).length, 1);
  }),
);

test(
  'a task has so many unfinished ones and no more; finished and cancelled ones do not count',
  withRig(
    async (rig) => {
      await rig.create({ file_prefix: 'live' });
      await rig.put(0, 'a');
      rig.store.always = 'before';
      const [first] = [await backfill(rig), await backfill(rig)];
      await assert.rejects(backfill(rig), { kind: 'TooManyBackfills' });
      await cancelBackfill(rig.services, rig.stream, 'archive', first);
      const third = await backfill(rig);
      await assert.rejects(backfill(rig), { kind: 'TooManyBackfills' });
      rig.store.always = undefined;
      await rig.advance(60_000);
      assert.equal(await rig.taskState(third), 'FINISHED');
      await backfill(rig);
      const { total, tasks } = await listTasks(rig.services, rig.stream, 10, undefined);
      assert.deepEqual([total, tasks.length], [1, 1], 'they are no tasks of the stream');
      await assert.rejects(show(rig, first), { kind: 'TaskNotFound' });
      await assert.rejects(changeBackfill(rig.services, rig.stream, 'archive', first, 'pause'), {
        kind: 'TaskNotFound',
      });
    },
    { limits: { backfills_per_task: 2 } },
  ),
);

test(
  'paused, over a crash, and resumed; progress is told all the while',
  withRig(
    async (rig) => {
      // Stopped: what is held up below are files of the backfill.
      await stopTasks(rig.services, rig.stream, [await rig.create({ file_prefix: 'live' })]);
      for (let at = 0; at < 10; at += 1) await rig.put(0, `${at}`);
      rig.store.faults.push('none', 'hold');
      const id = await backfill(rig);
      const progress = async () => {
        const { state, partitions } = await show(rig, id);
        return [state, partitions[0]!.position, partitions[0]!.undelivered];
      };
      assert.deepEqual(await progress(), ['RUNNING', 4, 6]);
      await changeBackfill(rig.services, rig.stream, 'archive', id, 'pause');
      rig.store.release();
      await rig.settle();
      assert.deepEqual(await progress(), ['PAUSED', 8, 2], 'the upload that ran was finished');
      await rig.crash();
      await rig.advance(60_000);
      assert.deepEqual(await progress(), ['PAUSED', 8, 2]);
      await changeBackfill(rig.services, rig.stream, 'archive', id, 'resume');
      await rig.settle();
      assert.deepEqual(await progress(), ['FINISHED', 10, 0]);
      await changeBackfill(rig.services, rig.stream, 'archive', id, 'pause');
      assert.deepEqual(await progress(), ['FINISHED', 10, 0]);
      assert.equal((await filesOf(rig, id)).join(''), '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
    },
    // A block of one record is 6 bytes: four of them fill a file.
    { config: { maxFileBytes: 24 } },
  ),
);

test(
  'the newest come first, a page at a time',
  withRig(async (rig) => {
    await rig.create({ file_prefix: 'live' });
    const ids: string[] = [];
    for (let at = 0; at < 4; at += 1) {
      // Two of them in the same millisecond.
      rig.clock.advance(at % 2);
      ids.unshift(await backfill(rig));
    }
    const page = async (limit: number, after?: string) => {
      const { total, backfills } = await listBackfills(rig.services, rig.stream, 'archive', limit, after);
      assert.equal(total, 4);
      return backfills.map(({ task_id }) => task_id);
    };
    const all = await page(100);
    assert.deepEqual(new Set(all), new Set(ids));
    assert.deepEqual([all[0], all[3]], [ids[0], ids[3]]);
    const walked: string[] = [];
    for (let after: string | undefined; walked.length < 4; after = walked.at(-1))
      walked.push(...(await page(1, after)));
    assert.deepEqual(walked, all);
    assert.deepEqual(await page(10, all.at(-1)), []);
    await assert.rejects(page(1, 'A'.repeat(19)), { kind: 'TaskNotFound' });
  }),
);

test(
  'a backfill ends with its task, and with its stream; its log stays',
  withRig(async (rig) => {
    for (const end of ['task', 'stream'] as const) {
      const task = await rig.create({ file_prefix: 'live' });
      await rig.put(0, 'a');
      rig.store.faults.push('hang');
      const id = await backfill(rig);
      if (end === 'task') await deleteTask(rig.services, rig.stream, 'archive');
      else await rig.engine.endTasksOfStream(rig.stream.number);
      await rig.settle();
      await rig.crash();
      await rig.advance(60_000);
      assert.deepEqual([await rig.taskState(id), await rig.taskState(task)], ['DELETE', 'DELETE']);
      const ofBackfill = (await rig.rows()).filter(({ task_id }) => task_id === id);
      assert.deepEqual(
        ofBackfill.map(({ state, cause }) => [state, cause]),
        [[1, 'task deleted']],
      );
    }
    assert.deepEqual(await rig.keys('bucket'), []);
  }),
);

test('whatever happens to a backfill, its task goes on as if there were none', async () => {
  const fault = fc.constantFrom<Fault>('none', 'before', 'midway', 'after');
  const step = fc.oneof(
    fc.record({
      do: fc.constant('put' as const),
      partition: fc.nat({ max: 1 }),
      records: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ do: fc.constant('advance' as const), seconds: fc.constantFrom(1, 10, 30) }),
    fc.record({ do: fc.constant('faults' as const), faults: fc.array(fault, { maxLength: 3 }) }),
    fc.record({ do: fc.constantFrom('backfill', 'pause', 'resume', 'cancel', 'crash', 'stop' as const) }),
    fc.record({ do: fc.constant('lose' as const), partition: fc.nat({ max: 1 }), to: fc.nat({ max: 6 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), fc.nat(), async (steps, seed) => {
      await using rig = await DumpRig.open({ partitions: 2, seed, config: { maxFileBytes: 30 } });
      const task = await rig.create({
        file_prefix: 'live',
        deliver_time_interval: 10,
        consumer_strategy: 'TRIM_HORIZON',
      });
      const put: string[][] = [[], []];
      const started: string[] = [];
      for (const next of steps) {
        const newest = started.at(-1) ?? '';
        switch (next.do) {
          case 'put': {
            const records = put[next.partition]!;
            const texts = Array.from({ length: next.records }, (_, at) => `${next.partition}.${records.length + at}`);
            records.push(...texts);
            await rig.log.append([
              batchOf(
                { stream: rig.stream.number, partition: next.partition },
                texts.map((data) => ({ data })),
              ),
            ]);
            break;
          }
          case 'advance':
            await rig.advance(next.seconds * 1000);
            break;
          case 'faults':
            rig.store.faults.push(...next.faults);
            break;
          case 'backfill':
            if ((await listBackfills(rig.services, rig.stream, 'archive', 1, undefined)).total < 5) {
              started.push((await createBackfill(rig.services, rig.stream, 'archive', AGAIN)).id);
            }
            break;
          case 'pause':
          case 'resume':
            if (newest !== '') await changeBackfill(rig.services, rig.stream, 'archive', newest, next.do);
            break;
          case 'cancel':
            if (newest !== '') await cancelBackfill(rig.services, rig.stream, 'archive', started.pop()!);
            break;
          case 'crash':
            await rig.crash();
            break;
          case 'stop':
            if (newest !== '') await stopTasks(rig.services, rig.stream, [newest]);
            break;
          case 'lose': {
            // What neither has delivered is lost for both; what the task has delivered is lost for the backfill alone.
            const ref = { stream: rig.stream.number, partition: next.partition };
            const { position } = (await rig.positions()).find(
              ({ task_id, partition }) => task_id === task && partition === next.partition,
            )!;
            await rig.log.trim(ref, Math.min(next.to, position));
            break;
          }
        }
      }
      rig.store.faults.length = 0;
      for (const id of started) await changeBackfill(rig.services, rig.stream, 'archive', id, 'resume');
      await rig.settle();
      await rig.advance(45_000);

      const live = await filesOf(rig, task);
      const rows = await rig.rows();
      for (const partition of [0, 1]) {
        const texts = rows
          .filter(({ task_id, state }) => task_id === task && state === 0)
          .flatMap((row, at) => (row.partition === partition ? [live[at]!] : []));
        assert.equal(texts.join(''), put[partition]!.map((text) => `${text}\n`).join(''), 'each record once, in order');
      }
      for (const id of started) {
        assert.equal(await rig.taskState(id), 'FINISHED');
        for (const row of (await rig.positions()).filter(({ task_id }) => task_id === id)) {
          const tiles = rows
            .filter((tile) => tile.task_id === id && tile.partition === row.partition)
            .filter(({ state, given_up }) => state === 0 || given_up === 1);
          let at = row.start_position!;
          for (const tile of tiles) {
            assert.equal(tile.first_sequence, at);
            at = tile.next_sequence;
          }
          assert.deepEqual([at, row.position], [row.end_position, row.end_position]);
        }
      }
    }),
    { numRuns: 12 },
  );
});
