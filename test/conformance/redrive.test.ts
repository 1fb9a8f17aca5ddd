import { onBothStores } from '../support/on-both-stores.ts';
import { runRedriveConformance } from './suites/redrive.ts';

onBothStores(runRedriveConformance, {
  min_deliver_interval: 1,
  dump: { retry_min_seconds: 1, retry_max_seconds: 1 },
});
