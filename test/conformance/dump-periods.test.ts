import { onBothStores } from '../support/on-both-stores.ts';
import { runDumpPeriodsConformance } from './suites/dump-periods.ts';

onBothStores(runDumpPeriodsConformance);
