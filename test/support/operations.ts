/**
 * Every operation of the API with its paths, twins included, and the role that may not have it: the permission table of
 * DIS. What is open to everybody, login included, is not here.
 */
import type { Role } from './accounts.ts';

export interface OperationUnderTest {
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As routes have them, with `:projectId` and other parameters. */
  readonly paths: readonly string[];
  /** None: every role may. */
  readonly deniedTo: readonly Role[];
}

type Line = readonly [operation: string, method: OperationUnderTest['method'], ...paths: string[]];

const P = '/v2/:projectId';
const STREAM = `${P}/streams/:streamName`;
const MEMBER = `${P}/apps/:group/consumers/:client`;

const tasks = (rest: string) =>
  [`${P}/streams`, `${P}/stream`, '/v3/:projectId/streams'].map((base) => `${base}/:streamName${rest}`);

/** Records, cursors, adding and deleting checkpoints: not for DIS Operator. */
const DATA: readonly Line[] = [
  ['putRecords', 'POST', `${P}/records`],
  ['getRecords', 'GET', `${P}/records`],
  ['getCursor', 'GET', `${P}/cursors`],
  ['commitCheckpoint', 'POST', `${P}/checkpoints`],
  ['deleteCheckpoints', 'DELETE', `${P}/checkpoints`],
];

/** Making, changing, scaling, sharing and deleting streams: not for DIS User. */
const STREAMS: readonly Line[] = [
  ['createStream', 'POST', `${P}/streams`],
  ['deleteStream', 'DELETE', STREAM, '/v3/:projectId/streams/:streamName'],
  ['scaleStream', 'PUT', STREAM],
  ['updateStream', 'PUT', '/v3/:projectId/streams/:streamName'],
  ['updateStreamByType', 'PUT', `${STREAM}/update`],
  ['createPolicies', 'POST', `${STREAM}/policies`],
  ['createPoliciesV3', 'POST', '/v3/:projectId/streams/:streamName/policies'],
  ['deletePolicies', 'DELETE', `${STREAM}/policies`],
];

/** The server itself, beyond DIS: for administrators. */
const SERVER: readonly Line[] = [['listNodes', 'GET', '/v1/nodes']];

const ANY: readonly Line[] = [
  ['listStreams', 'GET', `${P}/streams`],
  ['describeStream', 'GET', STREAM],
  ['showScalingLog', 'GET', `${STREAM}/update_partition_counts`],
  ['listPolicies', 'GET', `${STREAM}/policies`, '/v3/:projectId/streams/:streamName/policies'],
  ['showStreamMetrics', 'GET', `${STREAM}/metrics`],
  ['showPartitionMetrics', 'GET', `${STREAM}/partitions/:partitionId/metrics`],
  ['showQuotas', 'GET', '/v1/:projectId/quotas'],
  ['createApp', 'POST', `${P}/apps`, '/v3/:projectId/apps'],
  ['listApps', 'GET', `${P}/apps`, '/v3/:projectId/apps'],
  ['showApp', 'GET', `${P}/apps/:appName`],
  ['deleteApp', 'DELETE', `${P}/apps/:appName`],
  ['showConsumptionState', 'GET', `${P}/apps/:appName/streams/:streamName`],
  ['getCheckpoint', 'GET', `${P}/checkpoints`],
  ['joinGroup', 'POST', `${P}/apps/:group/consumers`],
  ['syncGroup', 'POST', `${MEMBER}/partitions`],
  ['heartbeat', 'POST', `${MEMBER}/heartbeats`],
  ['leaveGroup', 'DELETE', MEMBER],
  ['createTransferTask', 'POST', ...tasks('/transfer-tasks')],
  ['listTransferTasks', 'GET', ...tasks('/transfer-tasks')],
  ['updateTransferTask', 'PUT', ...tasks('/transfer-tasks')],
  ['showTransferTask', 'GET', ...tasks('/transfer-tasks/:taskName')],
  ['deleteTransferTask', 'DELETE', ...tasks('/transfer-tasks/:taskName')],
  ['changeTransferTasks', 'POST', ...tasks('/transfer-tasks/action')],
  ['createBackfill', 'POST', ...tasks('/transfer-tasks/:taskName/backfills')],
  ['listBackfills', 'GET', ...tasks('/transfer-tasks/:taskName/backfills')],
  ['showBackfill', 'GET', ...tasks('/transfer-tasks/:taskName/backfills/:backfillId')],
  ['listBackfillPeriods', 'GET', ...tasks('/transfer-tasks/:taskName/backfills/:backfillId/periods')],
  ['changeBackfill', 'POST', ...tasks('/transfer-tasks/:taskName/backfills/:backfillId/action')],
  ['cancelBackfill', 'DELETE', ...tasks('/transfer-tasks/:taskName/backfills/:backfillId')],
  ['listPeriods', 'GET', ...tasks('/transfer-tasks/:taskName/periods')],
  ['createRedrive', 'POST', ...tasks('/transfer-tasks/:taskName/redrive')],
  ['showRedrive', 'GET', ...tasks('/transfer-tasks/:taskName/redrive')],
  ['locateTransferTask', 'GET', `${P}/transfer-tasks/:taskId`],
  ['queryTransferTaskLog', 'POST', '/v1/transfertasklog/:taskId'],
  ['exportTransferTaskLog', 'GET', '/v1/transfertasklog/:taskId/export'],
  ['verifyTransferTask', 'POST', '/v1/transfertasklog/:taskId/verify'],
  ['addTag', 'POST', `${P}/stream/:streamId/tags`],
  ['listStreamTags', 'GET', `${P}/stream/:streamId/tags`],
  ['deleteTag', 'DELETE', `${P}/stream/:streamId/tags/:key`],
  ['changeTags', 'POST', `${P}/stream/:streamId/tags/action`],
  ['listProjectTags', 'GET', `${P}/stream/tags`],
  ['findByTags', 'POST', `${P}/stream/resource_instances/action`],
  ['showFileState', 'GET', `${P}/files/:deliverDataId/state`],
  ['describeToken', 'GET', '/v3/auth/tokens'],
  ['listProjects', 'GET', '/v3/projects', '/v3/auth/projects'],
  ['listDomains', 'GET', '/v3/auth/domains'],
  ['createSecurityToken', 'POST', '/v3.0/OS-CREDENTIAL/securitytokens'],
];

export const OPERATIONS: readonly OperationUnderTest[] = [
  ...DATA.map((line) => toOperation(line, ['operator'])),
  ...STREAMS.map((line) => toOperation(line, ['user'])),
  ...SERVER.map((line) => toOperation(line, ['operator', 'user'])),
  ...ANY.map((line) => toOperation(line, [])),
];

function toOperation([operation, method, ...paths]: Line, deniedTo: readonly Role[]): OperationUnderTest {
  return { operation, method, paths, deniedTo };
}
