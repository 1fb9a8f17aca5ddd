import { onBothStores } from '../support/on-both-stores.ts';
import { runDumpPathsConformance } from './suites/dump-paths.ts';

onBothStores(runDumpPathsConformance);
