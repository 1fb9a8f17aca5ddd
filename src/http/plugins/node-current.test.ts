import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { renderError, toDomainError } from '../error-renderer.ts';
import { refuseUnlessCurrent } from './node-current.ts';

test('a node that is behind refuses what comes, and what came before its body was read; some routes answer still', async () => {
  let current = true;
  let done = 0;
  const app = fastify();
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = renderError(toDomainError(error), { authFailureStatus: 401 });
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send());
  refuseUnlessCurrent(app, () => current);
  app.addContentTypeParser('text/lapse', { parseAs: 'string' }, (_request, body, parsed) => {
    current = false;
    parsed(null, body);
  });
  app.post('/records', async () => (done += 1));
  app.get('/healthz', { config: { always: true } }, async () => 'ok');
  const post = (contentType: string) =>
    app.inject({ method: 'POST', url: '/records', headers: { 'content-type': contentType }, body: '"x"' });

  assert.equal((await post('application/json')).statusCode, 200);
  const lapsed = await post('text/lapse');
  assert.equal(lapsed.statusCode, 503);
  assert.match(lapsed.body, /DIS\.5008/);
  assert.equal((await post('application/json')).statusCode, 503);
  assert.equal((await app.inject('/healthz')).statusCode, 200);
  assert.equal((await app.inject('/nowhere')).statusCode, 404);
  current = true;
  assert.equal((await post('application/json')).statusCode, 200);
  assert.equal(done, 2);
  await app.close();
});
