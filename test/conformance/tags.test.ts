import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DisClient } from '../support/dis-client.ts';
import { expectEmpty } from '../support/expect.ts';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runTagsConformance } from './suites/tags.ts';

let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects()));
after(() => projects.stop());

runTagsConformance(() => projects.target);

test('tags survive a kill', async (t) => {
  let dis = await DisClient.login(projects.target);
  t.after(() => dis.close());
  await dis.createStream('tagged', 1, { tags: [{ key: 'a', value: '1' }] });
  const { id } = await dis.describe('tagged');
  expectEmpty(await dis.call('POST', `/stream/${id}/tags`, { body: { tag: { key: 'b', value: '2' } } }), 204);
  expectEmpty(await dis.call('DELETE', `/stream/${id}/tags/a`), 204);
  await projects.server.kill('SIGKILL');
  await projects.server.restart();
  dis = dis.at(projects.server.baseUrl);
  assert.deepEqual((await dis.call('GET', `/stream/${id}/tags`)).json, { tags: [{ key: 'b', value: '2' }] });
});
