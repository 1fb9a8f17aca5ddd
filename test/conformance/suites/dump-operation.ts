/** Operating a dump task over HTTP: when it delivers, how it pauses, and what it says when something is wrong. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, eventually, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';

interface Shown {
  readonly state: string;
  readonly draining?: boolean;
  readonly error_code?: string;
  readonly cause?: string;
  readonly failing_since?: number;
  readonly next_try?: number;
  readonly dead_letters: number;
  readonly undelivered_records: number;
  readonly partitions: readonly (Omit<Shown, 'draining' | 'dead_letters' | 'partitions'> & {
    readonly discard: number;
    readonly last_transfer_offset: number;
    readonly oldest_undelivered_timestamp?: number;
    readonly expires_at?: number;
  })[];
}

async function put(dis: DisClient, stream: string, records: readonly string[]): Promise<void> {
  expectJson(
    await dis.put(
      stream,
      records.map((record) => ({ data: toBase64(record) })),
    ),
  );
}

export function runDumpOperationConformance(getTarget: () => StoreTarget): void {
  describe('operating a dump task', () => {
    const stream = `o${randomBytes(4).toString('hex')}`;
    let dis: DisClient;

    before(async () => {
      dis = await DisClient.login(getTarget());
      expectEmpty(
        await dis.call('POST', '/streams', {
          body: { stream_name: stream, partition_count: 1, data_type: 'JSON' },
        }),
        201,
      );
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
    });

    const show = async (task: string): Promise<Shown> => {
      const answer = await dis.showTask(stream, task);
      expectJson(answer);
      return answer.json;
    };
    const reach = (task: string, what: string, check: (shown: Shown) => boolean) =>
      eventually(what, () => show(task), check);
    const stop = (id: string, mode: unknown) =>
      dis.call('POST', `/streams/${stream}/transfer-tasks/action`, { body: { action: 'stop', mode, tasks: [{ id }] } });
    const filesOf = async (prefix: string) => [...(await getTarget().objects(prefix)).keys()];

    test('silence of the idle interval delivers what has come, long before the interval', async () => {
      await dis.addTask(stream, 'idle', {
        file_prefix: 'idle',
        consumer_strategy: 'LATEST',
        deliver_time_interval: 900,
        deliver_idle_interval: 1,
      });
      await put(dis, stream, ['{"c":"idle"}']);
      await eventually(
        'the file is there',
        () => filesOf('idle/'),
        (keys) => keys.length === 1,
      );
      await reach('idle', 'and committed', ({ undelivered_records: left }) => left === 0);
      expectEmpty(await dis.deleteTask(stream, 'idle'), 204);
    });

    test('what is not delivered yet is counted, with the time of its oldest record and of its expiry', async () => {
      await dis.addTask(stream, 'waits', { consumer_strategy: 'LATEST', deliver_time_interval: 900 });
      const from = Date.now();
      await put(dis, stream, ['{}', '{}']);
      await put(dis, stream, ['{}']);
      const { undelivered_records: total, partitions } = await show('waits');
      const [{ undelivered_records: own, oldest_undelivered_timestamp: oldest, expires_at: expires }] = partitions as [
        Shown['partitions'][0],
      ];
      assert.deepEqual([total, own], [3, 3]);
      assert.ok(oldest! >= from - 60_000 && oldest! <= Date.now() + 60_000);
      assert.equal(expires! - oldest!, 24 * 3_600_000);
      expectEmpty(await dis.deleteTask(stream, 'waits'), 204);
    });

    test('finish_planned with nothing planned pauses at once; other modes than the two are refused', async () => {
      const id = await dis.addTask(stream, 'drain', { deliver_time_interval: 900, consumer_strategy: 'LATEST' });
      await reach('drain', 'it runs', ({ state }) => state === 'RUNNING');
      for (const mode of ['later', 'NOW', 7, []]) expectError(await stop(id, mode), 400, 'DIS.4300');
      assert.equal((await show('drain')).state, 'RUNNING');
      for (const mode of ['finish_planned', 'now', '', null, undefined]) {
        expectEmpty(await stop(id, mode), 200);
        const { state, draining } = await show('drain');
        assert.deepEqual([state, draining], ['PAUSED', undefined]);
        expectEmpty(await dis.changeTasks(stream, 'start', id), 200);
        await reach('drain', 'it runs again', (shown) => shown.state === 'RUNNING');
      }
      expectEmpty(await dis.deleteTask(stream, 'drain'), 204);
    });

    test('ERROR while nothing but dead letters is delivered, with the place where they are; the first file ends it', async () => {
      await dis.addTask(stream, 'dead', {
        file_prefix: 'dead',
        consumer_strategy: 'LATEST',
        path_template: 'c={$.c}',
      });
      await put(dis, stream, ['no JSON', 'nor this']);
      const shown = await reach('dead', 'ERROR', ({ state }) => state === 'ERROR');
      assert.equal(shown.dead_letters, 2);
      assert.equal(shown.partitions[0]!.state, 'ERROR');
      assert.equal(shown.partitions[0]!.discard, 2);
      assert.equal(shown.error_code, 'DIS.4300');
      const [key] = await filesOf('dead/_dead_letters/');
      assert.equal(shown.cause, `no record of the newest cuts could be converted; see ${key}`);

      await put(dis, stream, ['{"c":"good"}', 'bad']);
      const after = await reach('dead', 'RUNNING', ({ state }) => state === 'RUNNING');
      assert.equal(after.dead_letters, 3);
      assert.deepEqual([after.error_code, after.cause], [undefined, undefined]);
      assert.equal((await filesOf('dead/c=good/')).length, 1);
      expectEmpty(await dis.deleteTask(stream, 'dead'), 204);
    });
  });
}

/** For a directory: a file in the way of the prefix stands for a store that refuses. */
export function runFailingTaskConformance(getTarget: () => StoreTarget): void {
  test('a file that fails: cause, since when, next try; finish_planned waits for it; then all is through', async () => {
    const target = getTarget();
    const dis = await DisClient.login(target);
    const stream = `f${randomBytes(4).toString('hex')}`;
    await dis.createStream(stream);
    const show = async () => (await dis.showTask(stream, 'task')).json as unknown as Shown;
    const reach = (what: string, check: (shown: Shown) => boolean) => eventually(what, show, check);

    await target.write('blocked', Buffer.from('in the way'));
    const from = Date.now();
    const id = await dis.addTask(stream, 'task', { file_prefix: 'blocked' });
    await put(dis, stream, ['a']);
    const failing = await reach('it fails', ({ state }) => state === 'ABNORMAL');
    assert.equal(failing.error_code, 'DIS.4310');
    assert.match(failing.cause!, /^OBS cannot be accessed\. \[bucket\]\[blocked\/.*EEXIST/);
    assert.ok(failing.failing_since! >= from - 1000 && failing.failing_since! <= Date.now());
    assert.equal(failing.partitions[0]!.cause, failing.cause);

    const tasks = [{ id }];
    const action = { action: 'stop', mode: 'finish_planned', tasks };
    expectEmpty(await dis.call('POST', `/streams/${stream}/transfer-tasks/action`, { body: action }), 200);
    const draining = await show();
    assert.deepEqual([draining.state, draining.draining], ['ABNORMAL', true]);
    await put(dis, stream, ['later']);
    await target.remove('blocked');
    const paused = await reach('it is through', ({ state }) => state === 'PAUSED');
    assert.deepEqual([paused.draining, paused.cause, paused.undelivered_records], [undefined, undefined, 1]);
    assert.equal((await target.objects('blocked/')).size, 1);
    await dis.deleteStream(stream);
    dis.close();
  });
}
