import { after, before } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { runWireFormsConformance } from './suites/wire-forms.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runWireFormsConformance(() => server);
