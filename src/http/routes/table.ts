/** Every operation that this server has. */
import type { Route } from '../fastify-types.ts';
import { createAppRoute } from './apps/create-app.ts';
import { deleteAppRoute } from './apps/delete-app.ts';
import { listAppsRoute } from './apps/list-apps.ts';
import { showAppRoute } from './apps/show-app.ts';
import { showConsumptionStateRoute } from './apps/show-consumption-state.ts';
import { cancelBackfillRoute } from './backfills/cancel-backfill.ts';
import { changeBackfillRoute } from './backfills/change-backfill.ts';
import { createBackfillRoute } from './backfills/create-backfill.ts';
import { listBackfillPeriodsRoute } from './backfills/list-backfill-periods.ts';
import { listBackfillsRoute } from './backfills/list-backfills.ts';
import { showBackfillRoute } from './backfills/show-backfill.ts';
import { commitCheckpointRoute } from './checkpoints/commit-checkpoint.ts';
import { deleteCheckpointsRoute } from './checkpoints/delete-checkpoints.ts';
import { getCheckpointRoute } from './checkpoints/get-checkpoint.ts';
import { heartbeatRoute } from './consumers/heartbeat.ts';
import { joinGroupRoute } from './consumers/join-group.ts';
import { leaveGroupRoute } from './consumers/leave-group.ts';
import { syncGroupRoute } from './consumers/sync-group.ts';
import { getCursorRoute } from './cursors/get-cursor.ts';
import { showFileStateRoute } from './files/show-file-state.ts';
import { healthRoute } from './health/health.ts';
import { readyRoute } from './health/ready.ts';
import { createSecurityTokenRoute } from './iam/create-security-token.ts';
import { listDomainsRoute } from './iam/list-domains.ts';
import { listProjectsRoute } from './iam/list-projects.ts';
import { listNodesRoute } from './nodes/list-nodes.ts';
import { prometheusRoute } from './metrics/prometheus.ts';
import { showPartitionMetricsRoute } from './metrics/show-partition-metrics.ts';
import { showStreamMetricsRoute } from './metrics/show-stream-metrics.ts';
import { getOpenapiRoute } from './openapi/get-openapi.ts';
import { createPoliciesRoute } from './policies/create-policies.ts';
import { deletePoliciesRoute } from './policies/delete-policies.ts';
import { listPoliciesRoute } from './policies/list-policies.ts';
import { showQuotasRoute } from './quotas/show-quotas.ts';
import { getRecordsRoute } from './records/get-records.ts';
import { putRecordsRoute } from './records/put-records.ts';
import { createRedriveRoute } from './redrives/create-redrive.ts';
import { showRedriveRoute } from './redrives/show-redrive.ts';
import { createStreamRoute } from './streams/create-stream.ts';
import { deleteStreamRoute } from './streams/delete-stream.ts';
import { describeStreamRoute } from './streams/describe-stream.ts';
import { listStreamsRoute } from './streams/list-streams.ts';
import { scaleStreamRoute } from './streams/scale-stream.ts';
import { showScalingLogRoute } from './streams/show-scaling-log.ts';
import { updateStreamByTypeRoute } from './streams/update-stream-by-type.ts';
import { updateStreamRoute } from './streams/update-stream.ts';
import { addTagRoute } from './tags/add-tag.ts';
import { changeTagsRoute } from './tags/change-tags.ts';
import { deleteTagRoute } from './tags/delete-tag.ts';
import { findByTagsRoute } from './tags/find-by-tags.ts';
import { listProjectTagsRoute } from './tags/list-project-tags.ts';
import { listStreamTagsRoute } from './tags/list-stream-tags.ts';
import { createTokenRoute } from './tokens/create-token.ts';
import { describeTokenRoute } from './tokens/describe-token.ts';
import { revokeTokenRoute } from './tokens/revoke-token.ts';
import { exportTransferTaskLogRoute } from './transfer-task-log/export-transfer-task-log.ts';
import { queryTransferTaskLogRoute } from './transfer-task-log/query-transfer-task-log.ts';
import { verifyTransferTaskRoute } from './transfer-task-log/verify-transfer-task.ts';
import { changeTransferTasksRoute } from './transfer-tasks/change-transfer-tasks.ts';
import { createTransferTaskRoute } from './transfer-tasks/create-transfer-task.ts';
import { deleteTransferTaskRoute } from './transfer-tasks/delete-transfer-task.ts';
import { listPeriodsRoute } from './transfer-tasks/list-periods.ts';
import { listTransferTasksRoute } from './transfer-tasks/list-transfer-tasks.ts';
import { locateTransferTaskRoute } from './transfer-tasks/locate-transfer-task.ts';
import { showTransferTaskRoute } from './transfer-tasks/show-transfer-task.ts';
import { updateTransferTaskRoute } from './transfer-tasks/update-transfer-task.ts';

export const ROUTES: readonly Route[] = [
  healthRoute,
  readyRoute,
  prometheusRoute,
  listNodesRoute,
  getOpenapiRoute,
  createTokenRoute,
  describeTokenRoute,
  revokeTokenRoute,
  listProjectsRoute,
  listDomainsRoute,
  createSecurityTokenRoute,
  createStreamRoute,
  listStreamsRoute,
  describeStreamRoute,
  deleteStreamRoute,
  scaleStreamRoute,
  updateStreamRoute,
  updateStreamByTypeRoute,
  showScalingLogRoute,
  createPoliciesRoute,
  listPoliciesRoute,
  deletePoliciesRoute,
  showStreamMetricsRoute,
  showPartitionMetricsRoute,
  showQuotasRoute,
  addTagRoute,
  listStreamTagsRoute,
  deleteTagRoute,
  changeTagsRoute,
  listProjectTagsRoute,
  findByTagsRoute,
  putRecordsRoute,
  getRecordsRoute,
  getCursorRoute,
  createAppRoute,
  listAppsRoute,
  showAppRoute,
  deleteAppRoute,
  showConsumptionStateRoute,
  commitCheckpointRoute,
  getCheckpointRoute,
  deleteCheckpointsRoute,
  joinGroupRoute,
  syncGroupRoute,
  heartbeatRoute,
  leaveGroupRoute,
  showFileStateRoute,
  createTransferTaskRoute,
  listTransferTasksRoute,
  showTransferTaskRoute,
  updateTransferTaskRoute,
  deleteTransferTaskRoute,
  changeTransferTasksRoute,
  locateTransferTaskRoute,
  listPeriodsRoute,
  createBackfillRoute,
  listBackfillsRoute,
  showBackfillRoute,
  listBackfillPeriodsRoute,
  changeBackfillRoute,
  cancelBackfillRoute,
  createRedriveRoute,
  showRedriveRoute,
  queryTransferTaskLogRoute,
  exportTransferTaskLogRoute,
  verifyTransferTaskRoute,
];
