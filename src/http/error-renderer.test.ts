import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginBlockedError } from '../auth/login-limiter.ts';
import { DomainError, ERRORS } from '../model/errors.ts';
import { renderError, toDomainError } from './error-renderer.ts';

const OPTIONS = { authFailureStatus: 401 };

test('both families of clients find their members', () => {
  const { status, body } = renderError(new DomainError('StreamNotFound', ['orders', 'p1']), OPTIONS);
  assert.equal(status, 400);
  assert.deepEqual(body, {
    errorCode: 'DIS.4301',
    message: 'Stream does not exist. [orders][p1]',
    error_code: 'DIS.4301',
    error_msg: 'Stream does not exist. [orders][p1]',
  });
});

test('nothing about an unexpected error leaves the server', () => {
  for (const thrown of [new Error('secret path /x'), 'secret', undefined, null, { statusCode: 500, code: 'secret' }]) {
    const { status, body } = renderError(toDomainError(thrown), OPTIONS);
    assert.equal(status, 500);
    assert.equal(body['errorCode'], 'DIS.5000');
    assert.ok(!JSON.stringify(body).includes('secret'));
  }
});

test('only failed authentication takes the configured status', () => {
  for (const [kind, { status }] of Object.entries(ERRORS)) {
    const answer = renderError(new DomainError(kind as keyof typeof ERRORS), { authFailureStatus: 441 });
    assert.equal(answer.status, status === 401 ? 441 : status, kind);
  }
});

test('headers that tell the caller what to do next', () => {
  assert.equal(renderError(new LoginBlockedError(17), OPTIONS).headers['retry-after'], '17');
  assert.equal(renderError(new DomainError('ShuttingDown'), OPTIONS).headers['connection'], 'close');
});

test("the form of IAM's errors", () => {
  const { body } = renderError(new DomainError('LoginFailed'), { ...OPTIONS, iam: true });
  assert.deepEqual(body['error'], {
    code: 401,
    message: 'The user name or password is wrong.',
    title: 'Unauthorized',
  });
});
