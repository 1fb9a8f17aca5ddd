import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DisClient } from '../support/dis-client.ts';
import { delivered } from '../support/checker.ts';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runDumpLogConformance } from './suites/dump-log.ts';

let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects()));
after(() => projects.stop());

runDumpLogConformance(() => {
  const bucket = join(projects.server.dataDir, 'objects', 'bucket');
  return {
    ...projects.target,
    bucket: 'bucket',
    // A file where a folder should be stops everybody, root included.
    async breakBucket() {
      await rename(bucket, `${bucket}-aside`);
      await writeFile(bucket, '');
    },
    async mendBucket() {
      await rm(bucket);
      await rename(`${bucket}-aside`, bucket);
    },
  };
});

test('a log survives a kill', async (t) => {
  const { server, target } = projects;
  let dis = await DisClient.login(target);
  await dis.createStream('kept');
  const taskId = await dis.addTask('kept', 'task');
  await dis.store('kept', [{ data: 'YQ==' }]);
  await delivered(dis, 'kept', 'task');
  const log = await dis.wholeLog(taskId);
  assert.equal(log.length, 1);
  await server.kill('SIGKILL');
  await server.restart();
  dis = dis.at(server.baseUrl);
  t.after(() => dis.close());
  assert.deepEqual(await dis.wholeLog(taskId), log);
});
