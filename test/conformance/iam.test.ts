import { after, before } from 'node:test';
import { ACCOUNTS } from '../support/accounts.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runAccountsConformance } from './suites/accounts.ts';
import { runIamConformance } from './suites/iam.ts';

let server: TestServer;
before(async () => (server = await startServer({ config: { accounts: ACCOUNTS } })));
after(() => server.stop());

runIamConformance(() => server);
runAccountsConformance(() => server);
