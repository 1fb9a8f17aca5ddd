import { onBothStores, onDirectory } from '../support/on-both-stores.ts';
import { runDumpOperationConformance, runFailingTaskConformance } from './suites/dump-operation.ts';

onBothStores(runDumpOperationConformance);
onDirectory(runFailingTaskConformance);
