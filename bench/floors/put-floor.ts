/**
 * The floor of a durable put: the least that a one-thread Node server must do. It parses the JSON, decodes every record,
 * appends the bytes to one file with group commit, and answers each record only after the sync. It checks nothing, has
 * no partitions, no checksums and no way to read anything back.
 *
 *     node put-floor.ts FILE        prints its URL; POST /reset empties the file
 */
import { fdatasync, ftruncateSync, openSync, writev } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { listen } from './listen.ts';

interface Waiting {
  readonly payload: Buffer;
  readonly answer: () => void;
}

const sync = promisify(fdatasync);
const file = openSync(process.argv[2]!, 'w');
let position = 0;
let sequence = 0;
let queue: Waiting[] = [];
let writing = false;

listen(
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handle(request, Buffer.concat(chunks), response));
  }),
);

function handle(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  if (request.url === '/reset') {
    ftruncateSync(file, (position = 0));
    response.end();
    return;
  }
  const { records } = JSON.parse(body.toString('utf8')) as { records: { data: string }[] };
  let bytes = 0;
  for (const { data } of records) bytes += Buffer.byteLength(data, 'base64');
  const payload = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const { data } of records) at += payload.write(data, at, 'base64');
  queue.push({ payload, answer: () => answer(records.length, response) });
  if (!writing) flush().catch(giveUp);
}

async function flush(): Promise<void> {
  writing = true;
  while (queue.length > 0) {
    const group = queue;
    queue = [];
    position += await append(group.map(({ payload }) => payload));
    await sync(file);
    for (const waiting of group) waiting.answer();
  }
  writing = false;
}

/** An answer without its sync would be no floor. */
function giveUp(error: unknown): never {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}

function append(payloads: Buffer[]): Promise<number> {
  const expected = payloads.reduce((sum, { length }) => sum + length, 0);
  return new Promise((resolve, reject) => {
    writev(file, payloads, position, (error, written) => {
      if (error === null && written === expected) resolve(written);
      else reject(error ?? new Error(`${written} of ${expected} bytes were written`));
    });
  });
}

function answer(count: number, response: ServerResponse): void {
  let text = '{"failed_record_count":0,"records":[';
  for (let index = 0; index < count; index += 1) {
    text += `${index > 0 ? ',' : ''}{"partition_id":"shardId-0000000000","sequence_number":"${sequence}"}`;
    sequence += 1;
  }
  text += ']}';
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length });
  response.end(text);
}
