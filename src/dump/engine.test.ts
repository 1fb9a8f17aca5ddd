/** When files are cut, what is in them, and what failures do to them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig } from '../../test/support/dump-rig.ts';
import { DomainError } from '../model/errors.ts';
import { startTasks } from './tasks/start-tasks.ts';
import { stopTasks } from './tasks/stop-tasks.ts';

test(
  'a file is cut when the interval has passed, not a second earlier, and never an empty one',
  withRig(async (rig) => {
    const id = await rig.create();
    assert.equal(await rig.taskState(id), 'RUNNING');
    await rig.put(0, 'a', 'b');
    await rig.advance(59_000);
    assert.deepEqual(await rig.rows(), []);
    await rig.advance(1000);
    assert.deepEqual(await rig.files(), ['a\nb\n']);
    await rig.advance(300_000);
    assert.equal((await rig.rows()).length, 1);
    assert.deepEqual(await rig.keys('bucket'), [(await rig.rows())[0]!.object_key]);
  }),
);

test(
  'the row of a file tells what is in it, where it is and when',
  withRig(async (rig) => {
    const started = rig.clock.now();
    const id = await rig.create({ file_prefix: 'in/', partition_format: 'yyyy/MM/dd/HH/mm' });
    await rig.put(0, 'a', 'b');
    await rig.advance(60_000);
    const [row] = await rig.rows();
    const name = `${id}.orders.0.${started + 60_000}`;
    assert.deepEqual(
      { ...row, id: 0, etag: '' },
      {
        id: 0,
        task_id: id,
        task_version: 1,
        partition: 0,
        state: 0,
        first_sequence: 0,
        next_sequence: 2,
        created_at: started + 60_000,
        start_time: started,
        end_time: started + 60_000,
        read_records: 2,
        records: 2,
        bytes: 4,
        file_name: name,
        bucket: 'bucket',
        object_key: `in/2026/01/01/00/01/${name}`,
        checksum: 'sha256:911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2',
        etag: '',
        attempt: 1,
        error_code: null,
        cause: null,
        given_up: 0,
        kind: 'delivery',
        plan_id: null,
        path: '2026/01/01/00/01',
        period: Date.UTC(2026, 0, 1, 0, 1),
        first_record: 0,
        last_record: 1,
        dead_letters: 0,
        dead_letter_key: null,
        dead_letter_bytes: null,
        dead_letter_checksum: null,
        schema_revision: 0,
        source_id: null,
        redriven_by: null,
        retry_at: null,
        merge_id: null,
        superseded_at: null,
        removed_at: null,
        manifest: null,
      },
    );
    const [position] = await rig.positions();
    assert.equal(position?.position, 2);
    assert.equal(position?.waiting_since, started + 60_000);
    assert.equal(position?.last_transfer_at, started + 60_000);
  }),
);

test(
  'the first record after a long silence waits for one interval at most',
  withRig(async (rig) => {
    await rig.create();
    await rig.advance(60_000 * 10 + 30_000);
    await rig.put(0, 'late');
    await rig.advance(29_000);
    assert.equal((await rig.rows()).length, 0);
    await rig.advance(1000);
    const [row] = await rig.rows();
    assert.equal(row?.state, 0);
    assert.equal(row.end_time - row.start_time, 60_000);
  }),
);

test(
  'LATEST begins behind what is there at creation, TRIM_HORIZON at the oldest record within retention',
  withRig(async (rig) => {
    await rig.put(0, 'expired');
    rig.clock.advance(24 * 3_600_000 + 1000);
    await rig.put(0, 'old');
    await rig.create({ task_name: 'new', consumer_strategy: 'LATEST' });
    await rig.create({ task_name: 'all', consumer_strategy: 'TRIM_HORIZON' });
    await rig.put(0, 'new');
    await rig.advance(60_000);
    assert.deepEqual((await rig.files()).sort(), ['new\n', 'old\nnew\n']);
  }),
);

test(
  'a file is cut early when deliver_size_interval is reached, and not below it',
  withRig(async (rig) => {
    await rig.create({ deliver_size_interval: 1 });
    const half = 'x'.repeat(512 * 1024 - 5);
    await rig.put(0, half);
    await rig.put(0, half.slice(1));
    await rig.advance(2000);
    assert.equal((await rig.rows()).length, 0, 'one byte short of a megabyte');
    await rig.put(0, 'y');
    await rig.put(0, 'z');
    await rig.advance(1000);
    assert.deepEqual(
      (await rig.rows()).map(({ first_sequence, next_sequence }) => [first_sequence, next_sequence]),
      [[0, 3]],
    );
  }),
);

test(
  'a backlog is cut into files of about the largest size, without waiting in between',
  withRig(
    async (rig) => {
      for (let record = 0; record < 10; record += 1) await rig.put(0, 'x'.repeat(95));
      await rig.create({ consumer_strategy: 'TRIM_HORIZON' });
      assert.deepEqual(
        (await rig.rows()).map(({ records }) => records),
        [3, 3, 3],
      );
      await rig.advance(60_000);
      assert.deepEqual(
        (await rig.rows()).map(({ records }) => records),
        [3, 3, 3, 1],
      );
    },
    { config: { maxFileBytes: 300 } },
  ),
);

test(
  'names are unique and increasing when the clock is set back, and waiting goes on',
  withRig(async (rig) => {
    await rig.create();
    await rig.put(0, 'a');
    await rig.advance(60_000);
    rig.clock.jump(-3_600_000);
    await rig.put(0, 'b');
    await rig.advance(60_000 + 1000);
    const times = (await rig.rows()).map(({ created_at }) => created_at);
    assert.equal(times.length, 2);
    assert.equal(times[1], times[0]! + 1);
  }),
);

test(
  'a failing file is tried again as it was planned; the task is ABNORMAL until it is through',
  withRig(
    async (rig) => {
      const id = await rig.create();
      rig.store.always = 'before';
      await rig.put(0, 'a');
      await rig.put(1, 'b');
      await rig.advance(60_000);
      assert.equal(await rig.taskState(id), 'ABNORMAL');
      await rig.put(0, 'not in this file');
      await rig.advance(10_000);
      rig.store.always = undefined;
      await rig.advance(30_000);
      assert.equal(await rig.taskState(id), 'RUNNING');
      const rows = (await rig.rows()).filter(({ partition }) => partition === 0);
      const [plan, ...attempts] = rows;
      assert.equal(plan?.state, 0);
      assert.equal(plan.attempt, attempts.length + 1);
      assert.deepEqual(
        attempts.map(({ state, attempt, error_code, given_up }) => ({ state, attempt, error_code, given_up })),
        attempts.map((_, index) => ({ state: 1, attempt: index + 1, error_code: 'DIS.4310', given_up: 0 })),
      );
      assert.ok(attempts.length >= 2);
      assert.match(attempts[0]!.cause!, /503 Slow Down/);
      assert.deepEqual((await rig.files()).sort(), ['a\n', 'b\n']);
    },
    { partitions: 2 },
  ),
);

test(
  'retry_duration: the last try is at its end, then the file is given up, counted and passed',
  withRig(async (rig) => {
    const id = await rig.create({ retry_duration: '20' });
    await rig.put(0, 'a', 'b', 'c');
    rig.store.always = 'after';
    await rig.advance(60_000 + 19_000);
    assert.equal((await rig.positions())[0]?.position, 0);
    await rig.advance(1000);
    const [position] = await rig.positions();
    assert.deepEqual([position?.position, position?.discarded], [3, 3]);
    const [plan] = await rig.rows();
    assert.deepEqual([plan?.state, plan?.given_up, plan?.records], [1, 1, 0]);
    assert.equal(await rig.taskState(id), 'RUNNING');
    assert.deepEqual(await rig.keys('bucket'), [], 'what a lost answer stored is gone');
    rig.store.always = undefined;
    await rig.put(0, 'd');
    await rig.advance(60_000);
    assert.deepEqual(await rig.files(), ['d\n']);
  }),
);

test(
  'retry_duration: nothing is given up while the store may hold it and lets nobody remove it',
  withRig(async (rig) => {
    await rig.create({ retry_duration: 20 });
    await rig.put(0, 'a');
    rig.store.always = 'after';
    rig.store.failDeletes = true;
    await rig.advance(60_000 + 30_000);
    assert.deepEqual([(await rig.positions())[0]?.position, (await rig.keys('bucket')).length], [0, 1]);
    assert.match((await rig.rows()).at(-1)!.cause!, /delete/);
    rig.store.failDeletes = false;
    await rig.advance(30_000);
    assert.deepEqual([(await rig.positions())[0]?.discarded, await rig.keys('bucket')], [1, []]);
  }),
);

test(
  'retry_duration: a bucket that is gone holds nothing',
  withRig(async (rig) => {
    await rig.create({ retry_duration: 20, path_template: 'dt={yyyy}' });
    await rig.put(0, 'a');
    rig.store.always = 'before';
    rig.store.list = async function* () {
      throw new DomainError('BucketNotFound', ['bucket']);
    };
    await rig.advance(60_000 + 20_000);
    assert.equal((await rig.positions())[0]?.discarded, 1);
  }),
);

test(
  'retry_duration counts from the first failure across restarts',
  withRig(async (rig) => {
    await rig.create({ retry_duration: 20 });
    await rig.put(0, 'a');
    rig.store.always = 'before';
    await rig.advance(60_000 + 10_000);
    await rig.crash();
    await rig.advance(9000);
    assert.equal((await rig.positions())[0]?.discarded, 0);
    await rig.advance(1000);
    assert.equal((await rig.positions())[0]?.discarded, 1);
  }),
);

test(
  'records expired before delivery are given up exactly, what is left is delivered at once',
  withRig(async (rig) => {
    const ref = { stream: rig.stream.number, partition: 0 };
    await rig.create();
    await rig.put(0, 'a', 'b');
    await rig.put(0, 'c');
    rig.store.always = 'after';
    await rig.advance(60_000);
    await rig.log.trim(ref, 2);
    rig.store.always = undefined;
    await rig.advance(30_000);
    const rows = (await rig.rows()).filter(({ state, given_up }) => state === 0 || given_up === 1);
    assert.deepEqual(
      rows.map(({ first_sequence, next_sequence, given_up }) => [first_sequence, next_sequence, given_up]),
      [
        [0, 2, 1],
        [2, 3, 0],
      ],
    );
    assert.deepEqual(await rig.files(), ['c\n']);
    assert.deepEqual(await rig.keys('bucket'), [rows[1]!.object_key]);
    assert.equal((await rig.positions())[0]?.discarded, 2);
  }),
);

test(
  'records that expired while nobody looked are given up without waiting for the interval',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a', 'b');
    await rig.put(0, 'c');
    await stopTasks(rig.services, rig.stream, [id]);
    await rig.log.trim({ stream: rig.stream.number, partition: 0 }, 2);
    await startTasks(rig.services, rig.stream, [id]);
    await rig.settle();
    assert.deepEqual(
      (await rig.rows()).map(({ first_sequence, next_sequence, given_up }) => [
        first_sequence,
        next_sequence,
        given_up,
      ]),
      [[0, 2, 1]],
    );
  }),
);

test(
  'damage in the middle costs the damaged records alone',
  withRig(async (rig) => {
    const ref = { stream: rig.stream.number, partition: 0 };
    await rig.create();
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await rig.put(0, text);
    rig.log.damage(ref, 2, 4);
    await rig.advance(62_000);
    assert.deepEqual(
      (await rig.rows()).map(({ first_sequence, next_sequence, state, given_up }) => [
        first_sequence,
        next_sequence,
        state,
        given_up,
      ]),
      [
        [0, 2, 0, 0],
        [2, 4, 1, 1],
        [4, 6, 0, 0],
      ],
    );
    assert.deepEqual(await rig.files(), ['a\nb\n', 'e\nf\n']);
    const [position] = await rig.positions();
    assert.deepEqual([position?.position, position?.discarded], [6, 2]);
    assert.match((await rig.rows())[1]!.cause!, /damaged/);
  }),
);

test(
  'a range is not given up before it is certain that no object holds it',
  withRig(async (rig) => {
    const ref = { stream: rig.stream.number, partition: 0 };
    await rig.create();
    await rig.put(0, 'a');
    await rig.put(0, 'b');
    rig.store.faults.push('after');
    await rig.advance(60_000);
    rig.log.damage(ref, 0, 1);
    rig.store.failDeletes = true;
    await rig.advance(20_000);
    assert.equal((await rig.positions())[0]?.position, 0);
    rig.store.failDeletes = false;
    await rig.advance(60_000);
    assert.deepEqual(await rig.files(), ['b\n']);
    assert.equal((await rig.keys('bucket')).length, 1);
  }),
);

test(
  'a stream whose deletion a crash cut short leaves no uncommitted object',
  withRig(async (rig) => {
    await rig.create();
    await rig.put(0, 'a');
    rig.store.always = 'after';
    await rig.advance(60_000);
    assert.equal((await rig.keys('bucket')).length, 1);
    rig.registry.remove(rig.stream);
    await rig.crash();
    assert.deepEqual([await rig.keys('bucket'), (await rig.rows())[0]?.state], [[], 1]);
  }),
);
