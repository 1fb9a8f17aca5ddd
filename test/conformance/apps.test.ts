import { after, before } from 'node:test';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runAppsConformance } from './suites/apps.ts';

let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects()));
after(() => projects.stop());

runAppsConformance(() => projects.target);
