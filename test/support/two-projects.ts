/** A server with two projects of one domain: its first user may log in to both. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from './api-client.ts';
import { startServer, type ServerOptions, type TestServer } from './server.ts';

export interface TwoProjects extends Target {
  /** The project that is not the one of `credentials`. */
  readonly otherProjectId: string;
}

export interface TwoProjectServer {
  readonly server: TestServer;
  readonly target: TwoProjects;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const OTHER_PROJECT = 'fedcba9876543210fedcba9876543210';

/** A server has the projects that its configuration ever named as the first one. */
export async function startWithTwoProjects(options: ServerOptions = {}): Promise<TwoProjectServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const dataDir = join(folder, 'data');
  const other = { SLUICE_PROJECT_ID: OTHER_PROJECT, SLUICE_PROJECT_NAME: 'other' };
  const first = await startServer({ dataDir, env: other });
  await first.kill('SIGTERM');
  await first.stop();
  const server = await startServer({ ...options, dataDir });
  return {
    server,
    target: { baseUrl: server.baseUrl, credentials: server.credentials, otherProjectId: OTHER_PROJECT },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
