import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { runStreamsConformance } from './suites/streams.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runStreamsConformance(() => ({ ...pick(server), quota: { COMMON: 50, ADVANCED: 10 } }));

test('streams survive a restart, and a kill', async () => {
  const token = await server.token();
  const streams = `/v2/${server.projectId}/streams`;
  const describe = async () => (await server.client.call('GET', `${streams}/kept`, { token })).text;
  const body = { stream_name: 'kept', partition_count: 3, data_duration: 48, tags: [{ key: 'a', value: 'b' }] };
  assert.equal((await server.client.call('POST', streams, { token, body })).status, 201);
  assert.equal(
    (await server.client.call('POST', streams, { token, body: { ...body, stream_name: 'gone' } })).status,
    201,
  );
  assert.equal((await server.client.call('DELETE', `${streams}/gone`, { token })).status, 204);
  const described = await describe();
  await server.kill('SIGKILL');
  await server.restart();
  assert.equal(await describe(), described);
  await server.restart();
  assert.equal(await describe(), described);
  const list = await server.client.call('GET', streams, { token });
  assert.deepEqual(list.json.stream_names, ['kept']);
});

function pick({ baseUrl, credentials }: TestServer) {
  return { baseUrl, credentials };
}
