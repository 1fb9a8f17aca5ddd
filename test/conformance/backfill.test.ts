import { onBothStores } from '../support/on-both-stores.ts';
import { MOST_BACKFILLS, runBackfillConformance } from './suites/backfill.ts';

onBothStores(runBackfillConformance, {
  min_deliver_interval: 1,
  limits: { backfills_per_task: MOST_BACKFILLS },
});
