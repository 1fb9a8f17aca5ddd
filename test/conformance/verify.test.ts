import { onBothStores } from '../support/on-both-stores.ts';
import { runVerifyConformance } from './suites/verify.ts';

onBothStores(runVerifyConformance);
