import { after, before } from 'node:test';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runQuotasConformance } from './suites/quotas.ts';

const limits = { common_partitions: 7, advanced_partitions: 3, apps: 2 };
let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects({ config: { limits } })));
after(() => projects.stop());

runQuotasConformance(() => ({
  ...projects.target,
  quota: { common_partition: 7, advanced_partition: 3, app: 2 },
}));
