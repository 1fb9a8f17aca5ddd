import { after, before } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { runOpenapiConformance } from './suites/openapi.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runOpenapiConformance(() => server);
