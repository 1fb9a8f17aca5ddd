/** Dump tasks over HTTP: create, show, list, update, start, stop, delete, with every limit on both sides. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Answer, Target } from '../../support/api-client.ts';
import { DisClient, eventually, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';

/** The server takes intervals from one second on. */
export function runDumpTasksConformance(getTarget: () => Target): void {
  describe('dump tasks', () => {
    const stream = `t${randomBytes(4).toString('hex')}`;
    const LEAST = { task_name: 'task', obs_bucket_path: 'bucket' };
    let dis: DisClient;

    before(async () => {
      dis = await DisClient.login(getTarget());
      await dis.createStream(stream, 2);
      await dis.createStream(`${stream}-b`);
    });
    after(async () => {
      await dis.deleteStream(stream);
      await dis.deleteStream(`${stream}-b`);
      dis.close();
    });

    const described = async (task = 'task') => {
      const answer = await dis.showTask(stream, task);
      expectJson(answer);
      return answer.json.obs_destination_description as Record<string, unknown>;
    };
    const remove = async (task = 'task') => expectEmpty(await dis.deleteTask(stream, task), 204);

    /** Creates a task with `members` on top of the least there must be, and hands its description to `check`. */
    async function accepted(
      members: object,
      check: (description: Record<string, unknown>) => void | Promise<void> = () => undefined,
    ): Promise<void> {
      const descriptor = { ...LEAST, ...members };
      expectEmpty(await dis.createTask(stream, descriptor), 201);
      try {
        await check(await described(descriptor.task_name));
      } finally {
        await remove(descriptor.task_name);
      }
    }
    const refused = async (members: object, message: RegExp, code = 'DIS.4300') =>
      expectError(await dis.createTask(stream, { ...LEAST, ...members }), 400, code, message);

    test('a new task, with the defaults of the API', async () => {
      const from = Date.now();
      expectEmpty(await dis.createTask(stream, LEAST), 201);
      await eventually(
        'the task runs',
        async () => (await dis.showTask(stream, 'task')).json.state,
        (s) => s === 'RUNNING',
      );
      const { json } = await dis.showTask(stream, 'task');
      const { stream_id, task_id, create_time, ...rest } = json as Record<string, unknown>;
      assert.match(String(task_id), /^[A-Za-z0-9]{19}$/);
      assert.equal(stream_id, (await dis.describe(stream)).id);
      assert.ok(Number(create_time) >= from - 60_000 && Number(create_time) <= Date.now() + 60_000);
      assert.deepEqual(rest, {
        stream_name: stream,
        task_name: 'task',
        state: 'RUNNING',
        destination_type: 'OBS',
        last_transfer_timestamp: 0,
        partitions: ['shardId-0000000000', 'shardId-0000000001'].map((partitionId) => ({
          partitionId,
          state: 'RUNNING',
          discard: 0,
          last_transfer_timestamp: 0,
          last_transfer_offset: 0,
          undelivered_records: 0,
        })),
        dead_letters: 0,
        undelivered_records: 0,
        obs_destination_description: {
          obs_bucket_path: 'bucket',
          file_prefix: '',
          partition_format: '',
          deliver_time_interval: 300,
          consumer_strategy: 'LATEST',
          destination_file_type: 'text',
          record_delimiter: '\n',
          retry_duration: 0,
        },
      });
      await remove();
    });

    test('everything that can be set is kept and told', async () => {
      const settings = {
        agency_name: 'dis_admin_agency',
        obs_bucket_path: 'other-bucket',
        file_prefix: 'in/2026/',
        partition_format: 'yyyy/MM/dd/HH/mm',
        deliver_time_interval: 60,
        deliver_size_interval: 5,
        consumer_strategy: 'TRIM_HORIZON',
        destination_file_type: 'text',
        record_delimiter: '|',
        retry_duration: 1800,
      };
      await accepted(settings, (told) => assert.deepEqual(told, settings));
    });

    test('what a client sends for nothing counts as absent, and unknown members are ignored', async () => {
      const nothing = {
        agency_name: '',
        file_prefix: null,
        partition_format: null,
        deliver_time_interval: null,
        deliver_size_interval: null,
        consumer_strategy: '',
        destination_file_type: '',
        record_delimiter: null,
        retry_duration: '',
        deliver_data_type: 'file_stream',
        compression_format: '',
        processing_schema: null,
        something_new: [1],
      };
      let defaults: unknown;
      await accepted({}, (told) => void (defaults = told));
      await accepted(nothing, (told) => assert.deepEqual(told, defaults));
    });

    test('destinations: OBS, also when nothing is said; every other one is refused', async () => {
      const post = (body: unknown) => dis.call('POST', `/streams/${stream}/transfer-tasks`, { body });
      for (const destination of [
        {},
        { destination_type: null },
        { destination_type: '' },
        { destination_type: 'OBS' },
      ]) {
        expectEmpty(await post({ ...destination, obs_destination_descriptor: LEAST }), 201);
        await remove();
      }
      for (const destination_type of ['MRS', 'DLI', 'CLOUDTABLE', 'DWS', 'UQUERY', 'OPENTSDB', 'NOWHERE']) {
        const descriptor = `${destination_type.toLowerCase()}_destination_descriptor`;
        expectError(await post({ destination_type, [descriptor]: {} }), 400, 'DIS.4200', /\[destination_type\]/);
        expectError(await post({ destination_type, obs_destination_descriptor: LEAST }), 400, 'DIS.4200');
      }
      expectError(await post({ destination_type: 'obs', obs_destination_descriptor: LEAST }), 400, 'DIS.4200');
    });

    test('bodies of a wrong shape', async () => {
      const path = `/streams/${stream}/transfer-tasks`;
      for (const method of ['POST', 'PUT']) {
        expectError(await dis.call(method, path), 400, 'DIS.4202');
        for (const body of ['{', '[]', '7', '"x"', { obs_destination_descriptor: [] }, { destination_type: 7 }]) {
          expectError(await dis.call(method, path, { body }), 400, 'DIS.4300');
        }
        expectError(await dis.call(method, path, { body: {} }), 400, 'DIS.4300', /\[obs_destination_descriptor\]/);
      }
      const wrong: Record<string, unknown[]> = {
        task_name: [null, 7, ['task']],
        obs_bucket_path: [null, 7, {}],
        agency_name: [7],
        file_prefix: [7, {}],
        partition_format: [7],
        deliver_time_interval: ['60', 60.5, true],
        deliver_size_interval: ['1', 1.5],
        record_delimiter: [7],
        consumer_strategy: [7],
        retry_duration: [true, 1.5, {}],
        destination_file_type: [7],
      };
      for (const [member, values] of Object.entries(wrong)) {
        for (const value of values)
          await refused({ [member]: value }, new RegExp(`\\[obs_destination_descriptor\\.${member}\\]`));
      }
      for (const member of ['task_name', 'obs_bucket_path']) await refused({ [member]: undefined }, /is missing/);
    });

    test('names: 1 to 64 letters, digits, _ and -, one task a name and stream', async () => {
      await accepted({ task_name: 'Az_09-' });
      await accepted({ task_name: 'x'.repeat(64) });
      for (const wrong of ['', 'a b', 'a.b', 'ä', 'a/b', 'x'.repeat(65)])
        await refused({ task_name: wrong }, /\[task_name\]/);
      await accepted({}, async () => {
        await refused({}, /^Transfer task already exists\. \[/, 'DIS.4355');
        expectEmpty(await dis.createTask(`${stream}-b`, LEAST), 201);
        expectEmpty(await dis.deleteTask(`${stream}-b`, 'task'), 204);
      });
    });

    test('at most 5 tasks a stream, also when they are created at the same time', async () => {
      const create = (i: number) => dis.createTask(stream, { ...LEAST, task_name: `n${i}` });
      const answers = await Promise.all(Array.from({ length: 7 }, (_, i) => create(i)));
      const codes = answers.map(({ status, json }) => (status === 201 ? 'made' : String(json?.errorCode)));
      assert.deepEqual(codes.toSorted(), ['DIS.4357', 'DIS.4357', 'made', 'made', 'made', 'made', 'made']);
      const made = answers.flatMap(({ status }, i) => (status === 201 ? [i] : []));
      expectError(await create(9), 400, 'DIS.4357', /\[5\]/);
      await remove(`n${made[0]}`);
      expectEmpty(await create(9), 201);
      for (const i of [...made.slice(1), 9]) await remove(`n${i}`);
    });

    test('deliver_time_interval: up to 900 seconds', async () => {
      for (const good of [1, 900]) {
        await accepted({ deliver_time_interval: good }, (told) => assert.equal(told['deliver_time_interval'], good));
      }
      for (const wrong of [0, -1, 901]) await refused({ deliver_time_interval: wrong }, /\[deliver_time_interval\]/);
    });

    test('deliver_size_interval: 1 to 300 MB', async () => {
      for (const good of [1, 300]) {
        await accepted({ deliver_size_interval: good }, (told) => assert.equal(told['deliver_size_interval'], good));
      }
      for (const wrong of [0, -1, 301]) await refused({ deliver_size_interval: wrong }, /\[deliver_size_interval\]/);
    });

    test('file_prefix: up to 50 letters, digits, _ and /', async () => {
      for (const good of ['', 'a', 'A_9/b/c', 'a/', `a/${'x'.repeat(48)}`]) {
        await accepted({ file_prefix: good }, (told) => assert.equal(told['file_prefix'], good));
      }
      for (const wrong of [
        'x'.repeat(51),
        '/a',
        '/',
        'a//b',
        'a b',
        '../a',
        'a/..',
        'a\\b',
        'ä',
        'a.b',
        'a-b',
        'a\n',
      ]) {
        await refused({ file_prefix: wrong }, /\[file_prefix\]/);
      }
    });

    test('partition_format, record_delimiter and consumer_strategy are lists', async () => {
      for (const good of ['', 'yyyy', 'yyyy/MM', 'yyyy/MM/dd', 'yyyy/MM/dd/HH', 'yyyy/MM/dd/HH/mm']) {
        await accepted({ partition_format: good }, (told) => assert.equal(told['partition_format'], good));
      }
      for (const wrong of ['YYYY', 'yyyy/', 'yyyy-MM', 'MM'])
        await refused({ partition_format: wrong }, /\[partition_format\]/);
      for (const [given, told] of Object.entries({ ',': ',', ';': ';', '|': '|', '\n': '\n', '': '', NULL: '' })) {
        await accepted({ record_delimiter: given }, ({ record_delimiter }) => assert.equal(record_delimiter, told));
      }
      for (const wrong of [' ', '\t', '\r\n', ',,', 'null', '\\n', 'toString']) {
        await refused({ record_delimiter: wrong }, /\[record_delimiter\]/);
      }
      for (const good of ['LATEST', 'TRIM_HORIZON']) {
        await accepted({ consumer_strategy: good }, (told) => assert.equal(told['consumer_strategy'], good));
      }
      for (const wrong of ['latest', 'EARLIEST']) await refused({ consumer_strategy: wrong }, /\[consumer_strategy\]/);
    });

    test('retry_duration: 0 to 7200 seconds, as a number or as text', async () => {
      for (const good of [0, 1, 7200, '0', '7200']) {
        await accepted({ retry_duration: good }, (told) => assert.equal(told['retry_duration'], Number(good)));
      }
      for (const wrong of [-1, 7201, '7201', '-1', 'x', '1.5', '9999999']) {
        await refused({ retry_duration: wrong }, /\[retry_duration\]/);
      }
    });

    test('agency_name is kept, whatever it names; buckets must be some', async () => {
      await accepted({ agency_name: 'ä'.repeat(64) }, (told) => assert.equal(told['agency_name'], 'ä'.repeat(64)));
      await refused({ agency_name: 'x'.repeat(65) }, /\[agency_name\]/);
      await refused({ obs_bucket_path: '' }, /\[obs_bucket_path\]/);
      for (const wrong of ['..', '../x', 'a/b', '.hidden', 'x\u0000'])
        await refused({ obs_bucket_path: wrong }, /\[/, 'DIS.4306');
    });

    test('streams and tasks that are not there', async () => {
      for (const answer of [
        await dis.createTask('unknown', LEAST),
        await dis.updateTask('unknown', LEAST),
        await dis.listTasks('unknown'),
        await dis.showTask('unknown', 'task'),
        await dis.deleteTask('unknown', 'task'),
        await dis.changeTasks('unknown', 'stop'),
      ]) {
        expectError(answer, 400, 'DIS.4301', /\[unknown\]/);
      }
      for (const answer of [
        await dis.updateTask(stream, LEAST),
        await dis.showTask(stream, 'task'),
        await dis.deleteTask(stream, 'task'),
        await dis.changeTasks(stream, 'stop', 'x'.repeat(19)),
        await dis.changeTasks(stream, 'start', 'not even an id'),
      ]) {
        expectError(answer, 400, 'DIS.4354');
      }
    });

    test('pages of tasks are in order of name and start behind the one that is named', async () => {
      const names = ['a', 'b', 'B', 'a-', 'a_'];
      for (const task_name of names) expectEmpty(await dis.createTask(stream, { ...LEAST, task_name }), 201);
      const page = async (query: Record<string, string | number>) => {
        const answer = await dis.listTasks(stream, query);
        expectJson(answer);
        assert.equal(answer.json.total_number, 5);
        assert.equal(answer.json.quota, 5);
        return (answer.json.tasks as { task_name: string }[]).map(({ task_name }) => task_name);
      };
      const sorted = names.toSorted();
      assert.deepEqual(await page({}), sorted);
      assert.deepEqual(await page({ start_task_name: '' }), sorted);
      assert.deepEqual(await page({ limit: 2 }), sorted.slice(0, 2));
      assert.deepEqual(await page({ limit: 2, start_task_name: sorted[1]! }), sorted.slice(2, 4));
      assert.deepEqual(
        await page({ start_task_name: 'a0' }),
        sorted.filter((name) => name > 'a0'),
      );
      assert.deepEqual(await page({ start_task_name: 'b' }), []);
      for (const limit of [1, 10]) assert.equal((await page({ limit })).length, Math.min(limit, 5));
      for (const limit of [0, 11, 'x'])
        expectError(await dis.listTasks(stream, { limit }), 400, 'DIS.4200', /\[limit\]/);

      const { json } = await dis.listTasks(stream, { limit: 1 });
      const { create_time, task_id } = (await dis.showTask(stream, 'B')).json as Record<string, unknown>;
      const [first] = json.tasks as { state: string }[];
      assert.match(first?.state ?? '', /^(STARTING|RUNNING)$/);
      assert.deepEqual(first, {
        task_id,
        task_name: 'B',
        state: first?.state,
        destination_type: 'OBS',
        create_time,
        last_transfer_timestamp: 0,
      });
      for (const name of names) await remove(name);
      assert.deepEqual((await dis.listTasks(stream)).json, { total_number: 0, quota: 5, tasks: [] });
    });

    test('update replaces all settings, and none when it is refused', async () => {
      const settings = { ...LEAST, file_prefix: 'a', deliver_time_interval: 60, consumer_strategy: 'TRIM_HORIZON' };
      await accepted(settings, async (before) => {
        const id = await dis.taskId(stream, 'task');
        const no = async (members: object, code: string) => {
          expectError(await dis.updateTask(stream, { ...LEAST, ...members }), 400, code);
          assert.deepEqual(await described(), before);
        };
        await no({ consumer_strategy: 'LATEST' }, 'DIS.4300');
        await no({ deliver_time_interval: 901 }, 'DIS.4300');
        await no({ obs_bucket_path: '..' }, 'DIS.4306');
        await no({ destination_file_type: 'parquet' }, 'DIS.4200');
        await no({ obs_bucket_path: undefined }, 'DIS.4300');
        await no({ task_name: 'unknown' }, 'DIS.4354');

        expectEmpty(await dis.updateTask(stream, { ...LEAST, record_delimiter: ',' }), 200);
        const expected = { ...before, file_prefix: '', deliver_time_interval: 300, record_delimiter: ',' };
        assert.deepEqual(await described(), expected);
        expectEmpty(await dis.updateTask(stream, { ...LEAST, consumer_strategy: 'TRIM_HORIZON' }), 200);
        assert.equal(await dis.taskId(stream, 'task'), id);
      });
    });

    test('stop and start, several tasks at once, all of them or none', async () => {
      for (const task_name of ['one', 'two']) expectEmpty(await dis.createTask(stream, { ...LEAST, task_name }), 201);
      expectEmpty(await dis.createTask(`${stream}-b`, LEAST), 201);
      const [one, two, foreign] = [
        await dis.taskId(stream, 'one'),
        await dis.taskId(stream, 'two'),
        await dis.taskId(`${stream}-b`, 'task'),
      ];
      const states = async () =>
        Promise.all(['one', 'two'].map(async (task) => (await dis.showTask(stream, task)).json.state as string));
      const reach = (...wanted: string[]) =>
        eventually(wanted.join(), states, (seen) => String(seen) === String(wanted));
      await reach('RUNNING', 'RUNNING');

      expectEmpty(await dis.changeTasks(stream, 'stop', one), 200);
      assert.deepEqual(await states(), ['PAUSED', 'RUNNING']);
      const { partitions } = (await dis.showTask(stream, 'one')).json as { partitions: { state: string }[] };
      for (const { state } of partitions) assert.equal(state, 'PAUSED');
      expectEmpty(await dis.changeTasks(stream, 'stop', one, two), 200);
      assert.deepEqual(await states(), ['PAUSED', 'PAUSED']);
      for (const wrong of ['x'.repeat(19), foreign]) {
        expectError(await dis.changeTasks(stream, 'start', one, wrong), 400, 'DIS.4354');
        assert.deepEqual(await states(), ['PAUSED', 'PAUSED']);
      }
      expectEmpty(await dis.changeTasks(stream, 'start', one), 200);
      await reach('RUNNING', 'PAUSED');
      expectEmpty(await dis.changeTasks(stream, 'start', one, two, two), 200);
      await reach('RUNNING', 'RUNNING');
      expectEmpty(await dis.changeTasks(stream, 'stop'), 200);
      assert.deepEqual(await states(), ['RUNNING', 'RUNNING']);

      const action = `/streams/${stream}/transfer-tasks/action`;
      const tasks = [{ id: one }];
      for (const body of [
        {},
        { action: 'stop' },
        { tasks },
        { action: 'pause', tasks },
        { action: 'STOP', tasks },
        { action: null, tasks },
        { action: 'stop', tasks: one },
        { action: 'stop', tasks: [one] },
        { action: 'stop', tasks: [{}] },
        { action: 'stop', tasks: [{ id: 7 }] },
      ]) {
        expectError(await dis.call('POST', action, { body }), 400, 'DIS.4300');
      }
      expectEmpty(await dis.call('POST', action, { body: { action: 'stop', tasks, stream_name: stream } }), 200);
      assert.deepEqual(await states(), ['PAUSED', 'RUNNING']);
      for (const task of ['one', 'two']) await remove(task);
      expectEmpty(await dis.deleteTask(`${stream}-b`, 'task'), 204);
    });

    test('a deleted task is gone, its name is free, and its id still has a log', async () => {
      expectEmpty(await dis.createTask(stream, LEAST), 201);
      const id = await dis.taskId(stream, 'task');
      await remove();
      expectError(await dis.deleteTask(stream, 'task'), 400, 'DIS.4354');
      expectError(await dis.changeTasks(stream, 'start', id), 400, 'DIS.4354');
      expectJson(await dis.log(id));
      await accepted({}, async () => assert.notEqual(await dis.taskId(stream, 'task'), id));
    });

    test('the paths of the Python client', async () => {
      const at = (method: string, rest: string, body?: unknown): Promise<Answer> =>
        dis.call(method, `/stream/${stream}/transfer-tasks${rest}`, body === undefined ? {} : { body });
      const body = { destination_type: 'OBS', obs_destination_descriptor: LEAST };
      expectEmpty(await at('POST', '/', body), 201);
      expectJson(await at('GET', '/'));
      const { task_id } = (await at('GET', '/task/')).json as { task_id: string };
      expectEmpty(await at('PUT', '/', body), 200);
      expectEmpty(await at('POST', '/action/', { action: 'stop', tasks: [{ id: task_id }] }), 200);
      expectEmpty(await at('DELETE', '/task/'), 204);
    });

    test('positions: LATEST begins at the end of each partition, TRIM_HORIZON at its first record', async () => {
      await dis.store(
        stream,
        ['0', '0', '0', '1'].map((partition_id) => ({ data: toBase64('x'), partition_id })),
      );
      const offsets = async () =>
        ((await dis.showTask(stream, 'task')).json.partitions as { last_transfer_offset: number }[]).map(
          ({ last_transfer_offset }) => last_transfer_offset,
        );
      await accepted({}, async () => assert.deepEqual(await offsets(), [3, 1]));
      await accepted({ consumer_strategy: 'TRIM_HORIZON' }, async () => assert.deepEqual(await offsets(), [0, 0]));
    });
  });
}
