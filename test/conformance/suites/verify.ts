/** The proof of delivery: nothing to find where nothing is wrong, and exactly what is broken where something is. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { delivered, STATE } from '../../support/checker.ts';
import { runSluice } from '../../support/cli.ts';
import { DisClient, toBase64, type LogEntry } from '../../support/dis-client.ts';
import { expectError } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';
import { CREDENTIALS } from '../../support/server.ts';

const PARTITIONS = 3;

export function runVerifyConformance(getTarget: () => StoreTarget): void {
  describe('verify', () => {
    let target: StoreTarget;
    let dis: DisClient;
    let streams = 0;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });

    /** A task that has delivered a file of each partition, below a prefix of its own. */
    async function deliver() {
      const stream = `verify-${(streams += 1)}`;
      const prefix = `v${streams}`;
      await dis.createStream(stream, PARTITIONS);
      const taskId = await dis.addTask(stream, 'archive', {
        obs_bucket_path: target.bucket,
        file_prefix: prefix,
        deliver_time_interval: 1,
      });
      for (let record = 0; record < 90; record += 1) {
        const data = toBase64(Buffer.from(`record ${record}`));
        await dis.store(stream, [{ data, partition_id: String(record % PARTITIONS) }]);
      }
      await delivered(dis, stream, 'archive');
      const files = (await dis.wholeLog(taskId)).filter(({ state }) => state === STATE.delivered);
      return { stream, taskId, prefix, files };
    }

    const call = (taskId: string, query = '') =>
      dis.http.call('POST', `/v1/transfertasklog/${taskId}/verify${query}`, { token: dis.token });

    async function verify(taskId: string, query?: string) {
      const { status, text } = await call(taskId, query);
      assert.equal(status, 200);
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const { summary } = lines.pop();
      assert.deepEqual(Object.keys(lines[0]), ['progress'], 'something comes at once');
      const findings = lines.flatMap(({ finding }) => finding ?? []);
      assert.equal(summary.findings, findings.length);
      return { summary, findings };
    }

    /** As an operator does it, with the server's own credentials. */
    async function sluice(...args: string[]) {
      const config = join(target.dataDir, 'cli.yaml');
      const { projectId: project_id, accessKey: access_key, secretKey: secret_key } = CREDENTIALS;
      await writeFile(config, JSON.stringify({ project_id, access_key, secret_key }));
      return runSluice(['verify', '--config', config, '--endpoint', target.baseUrl, ...args]);
    }

    const flipped = (entry: LogEntry, objects: ReadonlyMap<string, Buffer>) => {
      const bytes = Buffer.from(objects.get(entry.objectKey)!);
      bytes[0]! ^= 1;
      return bytes;
    };

    test('a task whose files are as they were delivered', async () => {
      const { stream, taskId, files } = await deliver();
      for (const query of ['', '?contents=false', '?contents=true', '?contents=true&records=true']) {
        const { summary, findings } = await verify(taskId, query);
        assert.deepEqual(findings, []);
        assert.equal(summary.task_id, taskId);
        assert.equal(summary.records, 90);
        assert.equal(summary.files, files.length);
        assert.equal(summary.objects, files.length);
        assert.equal(summary.cuts_remade, query.includes('records') ? files.length : 0);
      }
      const { code, stdout, stderr } = await sluice(`${stream}/archive`);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^task_id +\w{19}\ncuts +\d+\nfiles +\d+\nrecords +90\n/);
      assert.match(stdout, /\nfindings +0\n$/);
    });

    test('missing, altered and foreign objects are named', async () => {
      const { stream, taskId, prefix, files } = await deliver();
      const [gone, altered] = files;
      const objects = await target.objects(`${prefix}/`);
      await target.remove(gone!.objectKey);
      await target.write(altered!.objectKey, flipped(altered!, objects));
      await target.write(`${prefix}/stranger.txt`, Buffer.from('x'));
      const { findings } = await verify(taskId);
      const found = findings.map(({ kind, bucket, key }) => `${kind} ${bucket}/${key}`);
      const expected = [
        `altered bucket/${altered!.objectKey}`,
        `foreign bucket/${prefix}/stranger.txt`,
        `missing bucket/${gone!.objectKey}`,
      ];
      assert.deepEqual(found.toSorted(), expected);

      const { code, stdout } = await sluice(taskId);
      assert.equal(code, 1);
      for (const line of expected) assert.match(stdout, new RegExp(`^${line.replace(' ', ' +')}: .+$`, 'm'));
      assert.match(stdout, /\nfindings +3\n$/);
      const { stdout: json } = await sluice(`${stream}/archive`, '--json');
      assert.equal(json.trimEnd().split('\n').length, 4);
    });

    test('the log of a deleted task can be verified', async () => {
      const { stream, taskId } = await deliver();
      await dis.deleteTask(stream, 'archive');
      assert.deepEqual((await verify(taskId)).findings, []);
    });

    test('what cannot be verified', async () => {
      const { code, stdout, stderr } = await sluice('A'.repeat(19));
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^sluice: DIS\.4354 /);
      expectError(await call('A'.repeat(19)), 400, 'DIS.4354');
      expectError(await call('short'), 400, 'DIS.4200');
      expectError(await call('A'.repeat(19), '?contents=1'), 400, 'DIS.4200');
      for (const args of [[], ['A'.repeat(19), '--bogus']])
        assert.equal((await runSluice(['verify', ...args])).code, 2);
      const { code: help, stdout: told } = await runSluice(['verify', '--help']);
      assert.equal(help, 0);
      assert.match(told, /^Exit codes: 0: .+; 1: .+; 2: /m);
    });
  });
}
