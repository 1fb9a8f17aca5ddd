/**
 * A real Kafka on the loopback: one or three nodes in KRaft mode, each broker and controller in one process, with data
 * in a temporary folder. Gone when it is stopped, and when the test's own process ends. Needs `test/cluster/install.ts`
 * once.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeCertificate } from './certificate.ts';
import { freePorts } from './free-ports.ts';
import { MavenJars } from './maven-jars.ts';
import { openLink, type NetworkLink } from './network-link.ts';

export const KAFKA_JARS = new MavenJars('kafka', join(import.meta.dirname, '..', 'cluster', 'kafka-pom.xml'));

const HOST = '127.0.0.1';
const START_LIMIT_MS = 60_000;
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const LOGGING = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true'];

export interface KafkaOptions {
  readonly brokers: 1 | 3;
  /** Lines of server.properties of every node, over ours. */
  readonly properties?: Readonly<Record<string, string | number>>;
  /** Clients must log in, as this user, with PLAIN or either kind of SCRAM. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Clients must speak TLS. */
  readonly tls?: boolean;
  /** Largest heap of a node in MB. */
  readonly heapMegabytes?: number;
  /** Clients with a way of their own to every broker, which can be cut (`ways`). */
  readonly ways?: number;
  /** Where broker 3 keeps its data; a folder of its own by default. */
  readonly folderOf3?: string;
}

export interface KafkaCluster {
  /** HOST:PORT of each node. */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly KafkaBroker[];
  readonly ways: readonly KafkaWay[];
  /** PEM file of the certificate, when clients must speak TLS. */
  readonly ca: string | undefined;
  /** Runs one of Kafka's own tools, by its main class, to its end; resolves to what it printed. */
  tool(mainClass: string, ...args: readonly string[]): Promise<string>;
  /** Ends every node and removes its data. */
  stop(): Promise<void>;
}

/** How one client gets to the brokers: nobody else is told of these addresses. */
export interface KafkaWay {
  readonly bootstrap: readonly string[];
  /** Those to each broker. */
  readonly links: readonly NetworkLink[];
}

export interface KafkaBroker {
  readonly id: number;
  readonly address: string;
  /** Where its data is. */
  readonly folder: string;
  readonly running: boolean;
  /** Sends a signal; after one that ends a process, resolves once it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data and port; resolves once it takes connections. */
  start(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
// The test runner ends a file that takes too long with SIGTERM, which by itself skips the exit handlers.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));

export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kafka-'));
  const count = options.brokers;
  const wayCount = options.ways ?? 0;
  const ports = await freePorts(count * (3 + wayCount));
  // Hexadecimal: Kafka's tools take what begins with a hyphen for an option.
  const clusterId = randomBytes(11).toString('hex');
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const voters = ids.map((id, index) => `${id}@${HOST}:${ports[index * 3]}`).join(',');
  const stop = async () => {
    await Promise.all(brokers.map((broker) => broker.kill('SIGKILL')));
    await Promise.all(links.flat().map((link) => link.close()));
    await rm(folder, { recursive: true, force: true });
  };
  const tls = options.tls === true ? await makeKeyStore(folder) : undefined;
  const doorsOf = (index: number) => ports.slice(count * 3 + index * wayCount, count * 3 + (index + 1) * wayCount);
  /** By broker, then by client. */
  const links = await Promise.all(
    ids.map((_id, index) => Promise.all(doorsOf(index).map((port) => openLink({ host: HOST, port })))),
  );
  const brokers = ids.map((id, index) => {
    const [controller, inner, outer] = ports.slice(index * 3);
    const doors = doorsOf(index).map((port, client) => ({ port, advertised: links[index]![client]!.port }));
    const home = id === 3 && options.folderOf3 !== undefined ? options.folderOf3 : join(folder, `${id}`);
    return new Broker(id, `${HOST}:${outer}`, home, options.heapMegabytes ?? 320, {
      ...settings(count, { controller: controller!, inner: inner!, outer: outer!, doors }, options, tls?.store),
      'node.id': id,
      'controller.quorum.voters': voters,
      ...options.properties,
    });
  });
  try {
    await Promise.all(brokers.map((broker) => broker.format(clusterId, options.user)));
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const ways = Array.from({ length: wayCount }, (_, client) => {
    const own = links.map((ofBroker) => ofBroker[client]!);
    return { links: own, bootstrap: own.map(({ port }) => `${HOST}:${port}`) };
  });
  return { bootstrap: brokers.map(({ address }) => address), brokers, ways, ca: tls?.ca, tool: runTool, stop };
}

class Broker implements KafkaBroker {
  readonly id: number;
  readonly address: string;
  readonly folder: string;
  readonly #heap: number;
  readonly #properties: Readonly<Record<string, string | number>>;
  #child: ChildProcess | undefined;

  constructor(
    id: number,
    address: string,
    folder: string,
    heap: number,
    properties: Readonly<Record<string, string | number>>,
  ) {
    this.id = id;
    this.address = address;
    this.folder = folder;
    this.#heap = heap;
    this.#properties = { ...properties, 'log.dirs': join(folder, 'data') };
  }

  get running(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async format(clusterId: string, user: KafkaOptions['user']): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const lines = Object.entries(this.#properties).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(this.#file, lines.join(''));
    const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) =>
      user === undefined ? [] : ['--add-scram', `${mechanism}=[name=${user.name},password=${user.password}]`],
    );
    await runTool('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', this.#file, ...users);
  }

  async start(): Promise<void> {
    if (this.running) return;
    const output = await open(join(this.folder, 'log'), 'a');
    const memory = [`-Xms${this.#heap}m`, `-Xmx${this.#heap}m`];
    const child = spawn(
      'java',
      [...memory, ...JVM, ...LOGGING, '-cp', KAFKA_JARS.classPath, 'kafka.Kafka', this.#file],
      { stdio: ['ignore', output.fd, output.fd] },
    );
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.#child = child;
    await output.close();
    for (const end = Date.now() + START_LIMIT_MS; !(await takesConnections(this.address));) {
      if (!this.running || Date.now() > end) {
        await this.kill('SIGKILL');
        const log = await readFile(join(this.folder, 'log'), 'utf8');
        throw new Error(`Kafka did not start:\n${log.slice(-3000)}`);
      }
      await setTimeout(100);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    await ended;
  }

  get #file(): string {
    return join(this.folder, 'server.properties');
  }
}

/** Quick to start, to notice a broker that is gone, and to give its partitions another leader. */
function settings(
  count: number,
  ports: {
    readonly controller: number;
    readonly inner: number;
    readonly outer: number;
    readonly doors: readonly { readonly port: number; readonly advertised: number }[];
  },
  { user, tls }: KafkaOptions,
  keyStore: string | undefined,
): Record<string, string | number> {
  const protocol = `${user === undefined ? '' : 'SASL_'}${tls === true ? 'SSL' : 'PLAINTEXT'}`;
  const address = (name: string, port: number) => `${name}://${HOST}:${port}`;
  const plainLogin = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scramLogin = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    listeners: [
      address('CONTROLLER', ports.controller),
      address('INNER', ports.inner),
      address('OUTER', ports.outer),
      ...ports.doors.map(({ port }, client) => address(`DOOR${client}`, port)),
    ].join(','),
    'advertised.listeners': [
      address('INNER', ports.inner),
      address('OUTER', ports.outer),
      ...ports.doors.map(({ advertised }, client) => address(`DOOR${client}`, advertised)),
    ].join(','),
    'listener.security.protocol.map': [
      `CONTROLLER:PLAINTEXT,INNER:PLAINTEXT,OUTER:${protocol}`,
      ...ports.doors.map((_door, client) => `DOOR${client}:PLAINTEXT`),
    ].join(','),
    'inter.broker.listener.name': 'INNER',
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': count,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': count,
    'transaction.state.log.num.partitions': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.replica.fetchers': 1,
    'log.cleaner.enable': 'false',
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'replica.lag.time.max.ms': 5000,
    'replica.fetch.wait.max.ms': 100,
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.fetch.timeout.ms': 1500,
    'controlled.shutdown.enable': 'false',
    'group.initial.rebalance.delay.ms': 0,
    ...(user === undefined
      ? {}
      : {
          'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
          'listener.name.outer.plain.sasl.jaas.config': `${plainLogin} required user_${user.name}="${user.password}";`,
          'listener.name.outer.scram-sha-256.sasl.jaas.config': `${scramLogin} required;`,
          'listener.name.outer.scram-sha-512.sasl.jaas.config': `${scramLogin} required;`,
        }),
    ...(keyStore === undefined ? {} : { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': keyStore }),
  };
}

/** One PEM file of key and certificate for the nodes, and one of the certificate for clients. */
async function makeKeyStore(folder: string): Promise<{ readonly store: string; readonly ca: string }> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const certificate = await makeCertificate(files);
  const store = join(folder, 'store.pem');
  await writeFile(store, `${await readFile(files.key, 'utf8')}\n${certificate}\n`);
  return { store, ca: files.cert };
}

async function runTool(mainClass: string, ...args: readonly string[]): Promise<string> {
  const options = ['-Xmx256m', ...JVM, ...LOGGING, '-cp', KAFKA_JARS.classPath];
  try {
    const { stdout } = await promisify(execFile)('java', [...options, mainClass, ...args]);
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${mainClass} failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}

async function takesConnections(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
    return false;
  } finally {
    socket.destroy();
  }
}
