import { onBothStores } from '../support/on-both-stores.ts';
import { runDumpDeliveryConformance } from './suites/dump-delivery.ts';

onBothStores(runDumpDeliveryConformance);
