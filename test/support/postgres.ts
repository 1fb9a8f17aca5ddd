/**
 * A real PostgreSQL of a test's own: a data directory in a temporary folder, a free port of the loopback, synced commits.
 * Needs Debian's package `postgresql`. Text is ordered by a natural language by default, as in most installations, so that
 * what needs the order of code units has to say so.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const execute = promisify(execFile);

export interface PostgresServer {
  /** Of the administrator, in the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Makes an empty database; resolves to its URL. */
  createDatabase(): Promise<string>;
  /**
   * A second server that follows this one and takes no writes until it is promoted. From then on no commit is answered that
   * it does not have.
   */
  startStandby(): Promise<StandbyServer>;
  /** Sends a signal to the server's first process and resolves once it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Ends it if it runs and removes its data. */
  stop(): Promise<void>;
}

export interface StandbyServer extends PostgresServer {
  /** Resolves once it takes writes. */
  promote(): Promise<void>;
}

const HOST = '127.0.0.1';
const USER = 'postgres';
const START_LIMIT_MS = 30_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));

export async function startPostgres(): Promise<PostgresServer> {
  const folder = await makeFolder();
  await run('initdb', [
    ...['-D', join(folder, 'data'), '-U', USER, '-A', 'trust', '-E', 'UTF8'],
    ...['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US'],
  ]);
  const server = new ServerProcess(folder, await freePort());
  await appendFile(
    join(folder, 'data', 'postgresql.conf'),
    `listen_addresses = '${HOST}'\nunix_socket_directories = ''\nmax_connections = 300\nshared_buffers = 64MB\n`,
  );
  await startOrStop(server);
  return server;
}

class ServerProcess implements StandbyServer {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  get url(): string {
    return this.#urlOf('postgres');
  }

  async createDatabase(): Promise<string> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await this.#query(`create database ${name}`);
    return this.#urlOf(name);
  }

  async startStandby(): Promise<StandbyServer> {
    const folder = await makeFolder();
    const from = ['-h', HOST, '-p', String(this.port), '-U', USER];
    await run('pg_basebackup', [...from, '-D', join(folder, 'data'), '-R', '-X', 'stream', '-c', 'fast']);
    const standby = new ServerProcess(folder, await freePort());
    await startOrStop(standby);
    await this.#query(`alter system set synchronous_standby_names = '*'`);
    await this.#query('select pg_reload_conf()');
    return standby;
  }

  async promote(): Promise<void> {
    await this.#query('select pg_promote(true)');
  }

  async start(): Promise<void> {
    const data = join(this.#folder, 'data');
    const child = spawn(...asOwner(tool('postgres'), ['-D', data, '-p', String(this.port)]), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.#child = child;
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => (log = (log + chunk.toString('utf8')).slice(-4000)));
    for (const end = Date.now() + START_LIMIT_MS; ;) {
      try {
        await this.#query('select 1');
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > end) {
          throw new Error(`PostgreSQL did not start:\n${log}`, { cause: error });
        }
        await setTimeout(50);
      }
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async stop(): Promise<void> {
    // SIGQUIT: its other processes end with it, and at once.
    await this.kill('SIGQUIT');
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #urlOf(database: string): string {
    return `postgresql://${USER}@${HOST}:${this.port}/${database}`;
  }

  async #query(statement: string): Promise<void> {
    const client = new Client({ connectionString: this.url });
    client.on('error', () => {
      // What fails is told by the call that it fails.
    });
    try {
      await client.connect();
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}

async function startOrStop(server: PostgresServer): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A folder that the unprivileged user may write to. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  await chmod(folder, 0o777);
  return folder;
}

async function run(program: string, args: readonly string[]): Promise<void> {
  await execute(...asOwner(tool(program), args), { cwd: '/' });
}

/** PostgreSQL refuses to run as root. */
function asOwner(program: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [program, [...args]];
  return ['setpriv', [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', program, ...args]];
}

/** The newest of the installed versions. */
function tool(name: string): string {
  const found = globSync(`/usr/lib/postgresql/*/bin/${name}`);
  const [newest] = found.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  if (newest === undefined) throw new Error(`${name} of PostgreSQL is missing (Debian: apt-get install postgresql)`);
  return newest;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
