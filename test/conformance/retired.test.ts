import { after, before } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { runRetiredConformance } from './suites/retired.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runRetiredConformance(() => server);
