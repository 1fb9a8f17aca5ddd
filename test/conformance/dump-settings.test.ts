import { after, before } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { runDumpSettingsConformance } from './suites/dump-settings.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runDumpSettingsConformance(() => server);
