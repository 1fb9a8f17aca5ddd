import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { answerClientError } from './client-errors.ts';

/** What a server with `options` writes to somebody who sends `text` and then waits. */
async function answerTo(text: string, options: ServerOptions): Promise<string> {
  const server = createServer(
    options,
    (request, response) => void request.resume().on('end', () => response.end('ok')),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    answerClientError(error as Parameters<typeof answerClientError>[0], socket as never, 'id-1'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.write(text);
  await once(socket, 'close');
  server.close();
  return answer;
}

function expectRefusal(answer: string, status: number): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} \\S`));
  assert.match(head, /\r\nX-Request-Id: id-1(\r\n|$)/);
  assert.match(head, /\r\nConnection: close(\r\n|$)/);
  assert.match(head, new RegExp(`\r\nContent-Length: ${body.length}(\r\n|$)`));
  const { errorCode, message, error_code, error_msg } = JSON.parse(body) as Record<string, string>;
  assert.deepEqual([errorCode, error_code], ['DIS.4200', 'DIS.4200']);
  assert.equal(error_msg, message);
}

const SLOW = { connectionsCheckingInterval: 20, headersTimeout: 50, requestTimeout: 100 };

test('headers and bodies that do not arrive in time', async () => {
  expectRefusal(await answerTo('GET / HTTP/1.1\r\nHost: x\r\n', SLOW), 408);
  expectRefusal(await answerTo('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc', SLOW), 408);
});

test('headers without end, and what is no HTTP', async () => {
  const headers = `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(2000)}\r\n\r\n`;
  expectRefusal(await answerTo(headers, { maxHeaderSize: 1000 }), 431);
  for (const text of [
    'hello\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n\r\n'.replace('GET', '\0'),
    'GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n',
  ])
    expectRefusal(await answerTo(text, {}), 400);
});
