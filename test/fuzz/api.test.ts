/**
 * Every operation of the API description against a real server, 100,000 times: what is proper, what is almost proper and
 * what nobody should send. No answer above 499, none that hangs, every one in the described form; the server's memory
 * does not grow, and in the end what was stored before is there as it was, also after a restart.
 *
 * SLUICE_FUZZ_REQUESTS makes it longer or shorter; SLUICE_TEST_SEED makes the same requests again, as far as the answers
 * to earlier ones, which they are made of too, come in the same order.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { readOperations, type ApiDocument, type Operation } from '../support/api-document.ts';
import { DisClient, eventually, toBase64 } from '../support/dis-client.ts';
import { expectJson } from '../support/expect.ts';
import { seededFraction } from '../support/random.ts';
import { openSocket, readToEnd } from '../support/raw-http.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { CREDENTIALS, startServer, type TestServer } from '../support/server.ts';
import { SIGNATURE_FAMILIES, signRequest, type SignatureFamily } from '../support/sign.ts';
import { AnswerRules, parse, type FuzzAnswer } from './answers.ts';
import { KNOWN_VALUES, prepareFixtures } from './fixtures.ts';
import { Pool } from './pool.ts';
import { makeRequest, type FuzzRequest } from './requests.ts';
import { Values } from './values.ts';

const REQUESTS = testRounds('SLUICE_FUZZ_REQUESTS', 100_000);
/** From here on every operation must have been reached. */
const ENOUGH = 20_000;
const CONNECTIONS = 12;
const PATIENCE_MS = 15_000;
const FIXTURES_EVERY = 1000;
const PROGRESS_EVERY = 10_000;
/** How many of the proper requests come with a signature in place of a token. */
const SIGNED = 0.1;
/**
 * Memory rises until the collector has a reason to run, and falls: what counts is how low it gets. Compared are the second
 * fifth of the requests, when everything has been used once, and the last one.
 */
const GROWTH_BYTES = 48 * 1024 * 1024;
/** How often an operation is chosen; 1 where nothing stands. Logins are slow on purpose, and deletions end the fun. */
const WEIGHTS: Readonly<Record<string, number | undefined>> = {
  createToken: 0.05,
  getOpenapi: 0.02,
  health: 0.1,
  deleteStream: 0.15,
  deleteApp: 0.2,
  deleteTransferTask: 0.2,
  putRecords: 3,
  getRecords: 3,
  getCursor: 2,
};
/** No success is expected of them: a login by chance. */
const NEVER_SUCCEED = ['createToken'];

const WITNESS = {
  domain: 'witness',
  projectId: 'w'.repeat(32),
  projectName: 'witness',
  user: 'eve',
  password: 'sees all',
};

let server: TestServer;
before(async () => {
  server = await startServer({
    // About twice of what it needs: the collector has a reason to run, and what leaks ends it.
    env: { NODE_OPTIONS: '--max-old-space-size=80' },
    config: {
      limits: { common_partitions: 60 },
      accounts: [
        {
          domain: WITNESS.domain,
          projects: [{ id: WITNESS.projectId, name: WITNESS.projectName }],
          users: [{ name: WITNESS.user, password: WITNESS.password, role: 'admin' }],
        },
      ],
    },
  });
});
after(() => server.stop());

test(`${REQUESTS} requests`, { timeout: 900_000 }, async () => {
  const random = seededFraction(testSeed());
  const document = (await server.client.call('GET', '/openapi.json')).json as ApiDocument;
  const operations = readOperations(document);
  const rules = new AnswerRules(operations);
  const fuzzed = await DisClient.login(server);
  const witness = await DisClient.login(server, WITNESS);
  const before = await storeWitness(witness);
  await prepareFixtures(fuzzed);

  const pool = new Pool(random, KNOWN_VALUES);
  const values = new Values(random, pool);
  const seen = new Map<string, Map<number, number>>(operations.map(({ id }) => [id, new Map()]));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let sent = -1;
  const memory: number[] = [];
  const worker = async () => {
    while (sent < REQUESTS - 1) {
      sent += 1;
      if (sent % PROGRESS_EVERY === 0)
        process.stderr.write(`${sent} requests, ${mib(residentBytes(server.pid))} MiB\n`);
      if (sent % FIXTURES_EVERY === 0) {
        memory.push(residentBytes(server.pid));
        await prepareFixtures(fuzzed);
        pool.forget();
        pool.harvest({ 'X-Subject-Token': await server.client.login(server.credentials) });
        for (const path of ['/streams/fuzz-a', '/streams/fuzz-b', '/streams/fuzz-a/transfer-tasks/fuzz-task']) {
          pool.harvest((await fuzzed.call('GET', path)).json);
        }
      }
      pool.focus();
      const made = makeRequest(values, chooseOperation(random, operations), fuzzed);
      const request = made.proper && values.chance(SIGNED) ? sign(made, values.oneOf(SIGNATURE_FAMILIES)) : made;
      const answer = await send(agent, server.baseUrl, request);
      const fault = rules.fault(request, answer);
      if (fault !== undefined) throw new Error(`${fault}\n${describe(request, answer)}\n${server.log.slice(-4000)}`);
      const statuses = seen.get(request.operation.id);
      statuses?.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status < 300) pool.harvest(parse(answer.body));
    }
  };
  const started = performance.now();
  const workers = Array.from({ length: CONNECTIONS }, worker);
  // One that fails ends the others too.
  for (const running of workers) running.catch(() => (sent = REQUESTS));
  await Promise.all(workers);
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  report(seen, seconds);

  const fifth = Math.floor(memory.length / 5);
  const warm = Math.min(...memory.slice(fifth, 2 * fifth + 1));
  const growth = Math.min(...memory.slice(-fifth - 1)) - warm;
  process.stderr.write(`memory ${mib(warm)} MiB, in the end ${mib(growth)} MiB more\n`);
  assert.ok(growth < GROWTH_BYTES, `the server has grown by ${mib(growth)} MiB`);
  const unanswered = operations.filter(
    ({ id }) => REQUESTS >= ENOUGH && ![...(seen.get(id)?.keys() ?? [])].some((status) => status < 300),
  );
  assert.deepEqual(
    unanswered.map(({ id }) => id).filter((id) => !NEVER_SUCCEED.includes(id)),
    [],
    'operations that never answered with success: the generator does not reach them',
  );

  assert.doesNotMatch(server.log, /"level":[56]0/, 'errors in the log');
  await stillWorks(fuzzed);
  assert.deepEqual(await readWitness(witness), before);
  await server.restart();
  const again = witness.at(server.baseUrl);
  assert.deepEqual(await readWitness(again), before);
  again.close();
  fuzzed.close();
});

test('bytes that are almost HTTP are answered or hung up on, in time', { timeout: 120_000 }, async () => {
  const random = seededFraction(testSeed());
  const values = new Values(random, new Pool(random, {}));
  const head = (line: string, ...headers: string[]) => [line, 'Host: x', ...headers, '', ''].join('\r\n');
  const proper = [
    head('GET /healthz HTTP/1.1'),
    head('GET /v2/x/streams HTTP/1.1', 'X-Auth-Token: x'),
    `${head('POST /v2/x/records HTTP/1.1', 'Content-Length: 2')}{}`,
    `${head('POST /v2/x/records HTTP/1.1', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`,
  ];
  for (let round = 0; round < 500; round += 1) {
    const bytes = Buffer.from(values.oneOf(proper), 'latin1');
    for (let left = values.whole(1, 3); left > 0; left -= 1)
      bytes[values.whole(0, bytes.length - 1)] = values.whole(0, 255);
    const cut = values.chance(0.3) ? bytes.subarray(0, values.whole(1, bytes.length)) : bytes;
    const socket = await openSocket(server.baseUrl);
    // The end of what is sent: nobody waits for the rest of a request.
    socket.end(cut);
    const answer = await readToEnd(socket);
    for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)) assert.ok(Number(status) < 500, answer);
  }
  expectJson(await server.client.call('GET', '/healthz'));
});

function chooseOperation(random: () => number, operations: readonly Operation[]): Operation {
  for (;;) {
    const operation = operations[Math.floor(random() * operations.length)]!;
    if (random() < (WEIGHTS[operation.id] ?? 1) / 3) return operation;
  }
}

function sign(request: FuzzRequest, family: SignatureFamily): FuzzRequest {
  const { method, target, body } = request;
  const headers: Record<string, string> = { ...request.headers };
  delete headers['X-Auth-Token'];
  return {
    ...request,
    headers: signRequest({ family, ...CREDENTIALS }, { method, url: server.baseUrl + target, headers, body }),
  };
}

/** Rejects when there is no whole answer in time. */
function send(agent: Agent, baseUrl: string, request: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new Error(`${error.message}\n${describe(request)}`, { cause: error }));
    const { hostname, port } = new URL(baseUrl);
    const { method, target: path, body } = request;
    const headers = body === undefined ? request.headers : { ...request.headers, 'Content-Length': body.length };
    const outgoing = httpRequest({ hostname, port, method, path, headers, agent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', fail);
      incoming.on('end', () => {
        clearTimeout(timer);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
      });
    });
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    outgoing.end(body);
  });
}

/** Enough of a request to send it again. */
function describe({ operation, method, target, headers, body }: FuzzRequest, answer?: FuzzAnswer): string {
  const lines = [
    `${operation.id}: ${method} ${target.slice(0, 2000)}`,
    JSON.stringify(headers).slice(0, 1000),
    body === undefined ? 'no body' : `body: ${body.toString('latin1').slice(0, 2000)}`,
  ];
  if (answer !== undefined) lines.push(`answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 2000)}`);
  return lines.join('\n');
}

function report(seen: ReadonlyMap<string, ReadonlyMap<number, number>>, seconds: number): void {
  const total = [...seen.values()].flatMap((statuses) => [...statuses.values()]).reduce((sum, count) => sum + count, 0);
  process.stderr.write(`${total} requests in ${seconds.toFixed(0)} s\n`);
  for (const [id, statuses] of seen) {
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`);
    process.stderr.write(`  ${id.padEnd(28)} ${counts.join(' ')}\n`);
  }
}

const STORED = Array.from({ length: 200 }, (_, i) => ({ data: toBase64(`witness ${i}`), partition_key: `key ${i}` }));

async function storeWitness(dis: DisClient) {
  await dis.createStream('witness', 3);
  await dis.store('witness', STORED);
  const app = await dis.call('POST', '/apps', { body: { app_name: 'witness' } });
  assert.equal(app.status, 201, app.text);
  return readWitness(dis);
}

/** Everything about another account's stream: nothing of it may ever change. */
async function readWitness(dis: DisClient) {
  const records = await Promise.all([0, 1, 2].map((partition) => dis.readAll('witness', partition)));
  assert.equal(records.flat().length, STORED.length);
  return {
    records,
    stream: (await dis.call('GET', '/streams/witness')).json as unknown,
    streams: (await dis.call('GET', '/streams')).json as unknown,
    apps: (await dis.call('GET', '/apps')).json as unknown,
  };
}

/** A record put now is read, and delivered. */
async function stillWorks(dis: DisClient): Promise<void> {
  await dis.call('DELETE', '/streams/fuzz-json');
  await dis.createStream('after', 1);
  const task = await dis.addTask('after', 'after');
  await dis.store('after', [{ data: toBase64('still here') }]);
  const [record] = await dis.readAll('after', 0);
  assert.equal(record?.data, toBase64('still here'));
  await eventually(
    'a file is delivered',
    () => dis.wholeLog(task),
    (log) => log.some(({ state, transferRecordsNum }) => state === 0 && transferRecordsNum === 1),
  );
}

/** Of a process of this machine; Linux only. */
function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}
