/** Assertions that every conformance suite makes. */
import assert from 'node:assert/strict';
import type { Answer } from './api-client.ts';

/** A refusal: its status and code, both pairs of error members, JSON, and a request id. */
export function expectError(answer: Answer, status: number, code: string, message?: RegExp): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json(;|$)/);
  assert.match(String(answer.headers['x-request-id']), /^[0-9a-zA-Z-]{16,}$/);
  const body = answer.json as Record<string, unknown>;
  assert.equal(body['errorCode'], code, answer.text);
  assert.equal(body['error_code'], code);
  assert.equal(body['error_msg'], body['message']);
  assert.equal(typeof body['message'], 'string');
  if (message !== undefined) assert.match(String(body['message']), message);
}

/** A success without a body. Clients wait for bytes unless they are told that there are none. */
export function expectEmpty(answer: Answer, status: number): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.text, '');
  assert.equal(answer.headers['transfer-encoding'], undefined);
  if (status !== 204) assert.equal(answer.headers['content-length'], '0');
}

/** A success with a JSON body. */
export function expectJson(answer: Answer, status = 200): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json(;|$)/);
  assert.notEqual(answer.json, undefined);
}
