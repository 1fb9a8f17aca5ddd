/** The server that a black-box test runs against: one process, or a cluster that looks like one (backend.ts). */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ON_CLUSTER } from './backend.ts';
import { ClusterOfServers } from './cluster-of-servers.ts';
import { ServerProcess, type ServerOptions, type TestServer } from './server-process.ts';

export { CREDENTIALS, failToStart, type ServerOptions, type TestServer } from './server-process.ts';

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const server = ON_CLUSTER ? await ClusterOfServers.make(options, folder) : new ServerProcess(options, folder);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
