/** Every operation that this server has. */
import type { Route } from '../fastify-types.ts';
import { getCursorRoute } from './cursors/get-cursor.ts';
import { healthRoute } from './health/health.ts';
import { getRecordsRoute } from './records/get-records.ts';
import { putRecordsRoute } from './records/put-records.ts';
import { createStreamRoute } from './streams/create-stream.ts';
import { deleteStreamRoute } from './streams/delete-stream.ts';
import { describeStreamRoute } from './streams/describe-stream.ts';
import { listStreamsRoute } from './streams/list-streams.ts';
import { createTokenRoute } from './tokens/create-token.ts';
import { revokeTokenRoute } from './tokens/revoke-token.ts';
import { queryTransferTaskLogRoute } from './transfer-task-log/query-transfer-task-log.ts';
import { changeTransferTasksRoute } from './transfer-tasks/change-transfer-tasks.ts';
import { createTransferTaskRoute } from './transfer-tasks/create-transfer-task.ts';
import { deleteTransferTaskRoute } from './transfer-tasks/delete-transfer-task.ts';
import { listTransferTasksRoute } from './transfer-tasks/list-transfer-tasks.ts';
import { showTransferTaskRoute } from './transfer-tasks/show-transfer-task.ts';
import { updateTransferTaskRoute } from './transfer-tasks/update-transfer-task.ts';

export const ROUTES: readonly Route[] = [
  healthRoute,
  createTokenRoute,
  revokeTokenRoute,
  createStreamRoute,
  listStreamsRoute,
  describeStreamRoute,
  deleteStreamRoute,
  putRecordsRoute,
  getRecordsRoute,
  getCursorRoute,
  createTransferTaskRoute,
  listTransferTasksRoute,
  showTransferTaskRoute,
  updateTransferTaskRoute,
  deleteTransferTaskRoute,
  changeTransferTasksRoute,
  queryTransferTaskLogRoute,
];
