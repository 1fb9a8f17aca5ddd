import { onBothStores } from '../support/on-both-stores.ts';
import { runDumpFilesConformance } from './suites/dump-files.ts';

onBothStores(runDumpFilesConformance, { min_deliver_interval: 1 });
