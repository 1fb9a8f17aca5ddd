/**
 * Every way in which Sluice says no: one closed table of errors, each with its DIS code, HTTP status and text.
 * The codes are those of the public DIS error table; where that table is silent, docs/PROTOCOL.md says what was chosen.
 * Domain code throws a `DomainError`; `http/error-renderer.ts` is the only place that turns one into an answer.
 */

interface ErrorKind {
  readonly code: string;
  readonly status: number;
  readonly text: string;
}

/** 401 stands for every failed authentication; the renderer may be configured to answer 441 instead. */
const AUTHENTICATION = 401;

export const ERRORS = {
  TokenMissing: { code: 'DIS.4113', status: AUTHENTICATION, text: 'X-Auth-Token is empty.' },
  TokenInvalid: { code: 'DIS.4114', status: AUTHENTICATION, text: 'X-Auth-Token is invalid or expired.' },
  ProjectMismatch: { code: 'DIS.4117', status: AUTHENTICATION, text: 'The project ID does not belong to the token.' },
  SignatureWrong: { code: 'DIS.4100', status: AUTHENTICATION, text: 'The signature is wrong.' },
  AuthorizationMissing: {
    code: 'DIS.4101',
    status: AUTHENTICATION,
    text: 'Authorization and X-Auth-Token are missing.',
  },
  AuthorizationUnreadable: { code: 'DIS.4102', status: AUTHENTICATION, text: 'Authorization cannot be parsed.' },
  SignatureDateMissing: { code: 'DIS.4103', status: AUTHENTICATION, text: 'X-Sdk-Date is empty.' },
  SignatureDateUnreadable: { code: 'DIS.4104', status: AUTHENTICATION, text: 'X-Sdk-Date cannot be parsed.' },
  SignatureDateInvalid: {
    code: 'DIS.4105',
    status: AUTHENTICATION,
    text: 'X-Sdk-Date is invalid or too far from the time of the server.',
  },
  AccessKeyMissing: { code: 'DIS.4106', status: AUTHENTICATION, text: 'The access key is missing.' },
  AccessKeyInvalid: { code: 'DIS.4107', status: AUTHENTICATION, text: 'The access key is invalid.' },
  SecurityTokenInvalid: {
    code: 'DIS.4114',
    status: AUTHENTICATION,
    text: 'X-Security-Token is missing, or does not belong to the access key.',
  },
  ServiceNameMissing: { code: 'DIS.4108', status: AUTHENTICATION, text: 'The service name is missing or wrong.' },
  AuthorizationIncomplete: {
    code: 'DIS.4109',
    status: AUTHENTICATION,
    text: 'Authorization lacks Credential, SignedHeaders or Signature.',
  },
  SignaturePartMissing: { code: 'DIS.4110', status: AUTHENTICATION, text: 'A signed header is missing.' },
  RegionInvalid: { code: 'DIS.4111', status: AUTHENTICATION, text: 'The region is invalid.' },
  LoginFailed: { code: 'DIS.4114', status: AUTHENTICATION, text: 'The user name or password is wrong.' },
  LoginBlocked: { code: 'DIS.4309', status: 429, text: 'Too many failed logins from this address. Try again later.' },
  NotPermitted: { code: 'DIS.4116', status: 403, text: 'You do not have permission for this operation.' },

  InvalidRequest: { code: 'DIS.4200', status: 400, text: 'Invalid request.' },
  EmptyRequest: { code: 'DIS.4202', status: 400, text: 'The request is empty.' },
  InvalidBody: { code: 'DIS.4300', status: 400, text: 'Request error.' },
  RequestTooLarge: { code: 'DIS.4300', status: 413, text: 'The request is too large.' },
  HeadersTooLarge: { code: 'DIS.4200', status: 431, text: 'The headers of the request are too large.' },
  RequestTimeout: { code: 'DIS.4200', status: 408, text: 'The request took too long to arrive.' },
  UnsupportedMediaType: { code: 'DIS.4200', status: 415, text: 'The content type or encoding is not supported.' },
  Retired: { code: 'DIS.4200', status: 400, text: 'Retired by DIS and not offered.' },
  UnknownRoute: { code: 'DIS.4200', status: 404, text: 'No such operation.' },
  TooManyRequests: { code: 'DIS.4305', status: 429, text: 'Too many concurrent requests. Try again later.' },

  StreamNotFound: { code: 'DIS.4301', status: 400, text: 'Stream does not exist.' },
  StreamExists: { code: 'DIS.4307', status: 400, text: 'Stream already exists.' },
  QuotaExceeded: { code: 'DIS.4308', status: 400, text: 'The quota is exceeded.' },
  InvalidSchema: { code: 'DIS.4360', status: 400, text: 'The data schema is invalid.' },
  InvalidPartitionId: { code: 'DIS.4201', status: 400, text: 'Partition_id is invalid.' },
  PartitionNotFound: { code: 'DIS.4302', status: 400, text: 'Partition does not exist.' },
  PartitionExpired: { code: 'DIS.4319', status: 400, text: 'Partition is expired.' },
  TrafficLimit: { code: 'DIS.4303', status: 400, text: 'Traffic control limit is exceeded.' },
  InvalidRecord: { code: 'DIS.4300', status: 400, text: 'The record is invalid.' },
  RecordTooLarge: { code: 'DIS.4300', status: 400, text: 'The record is too large.' },

  InvalidCursorType: { code: 'DIS.4215', status: 400, text: 'Cursor-type is invalid.' },
  InvalidSequenceNumber: { code: 'DIS.4216', status: 400, text: 'Starting-sequence-number is invalid.' },
  SequenceNumberOutOfRange: { code: 'DIS.4224', status: 400, text: 'Sequence_number out of range.' },
  TimestampExpired: {
    code: 'DIS.4300',
    status: 400,
    text: 'The timestamp is expired, timestamp should be larger than {}',
  },
  InvalidCursor: { code: 'DIS.4217', status: 400, text: 'Partition-cursor is invalid.' },
  CursorExpired: { code: 'DIS.4225', status: 400, text: 'Partition-cursor is expired.' },
  CursorRecordExpired: { code: 'DIS.4226', status: 400, text: 'The record of the partition-cursor is expired.' },

  AppQuotaExceeded: { code: 'DIS.4329', status: 400, text: 'The quota of apps is exceeded.' },
  AppExists: { code: 'DIS.4330', status: 400, text: 'App already exists.' },
  AppInUse: { code: 'DIS.4331', status: 400, text: 'App is in use.' },
  AppNotFound: { code: 'DIS.4332', status: 400, text: 'App does not exist.' },
  TooManyConsumers: { code: 'DIS.4339', status: 400, text: 'The consumer group has too many members.' },
  NeverCommitted: { code: 'DIS.4375', status: 400, text: 'The app has never committed a checkpoint on the stream.' },
  GroupRebalancing: { code: 'DIS.4701', status: 400, text: 'The consumer group is rebalancing.' },
  MemberGone: { code: 'DIS.4702', status: 400, text: 'The consumer is not a member of the group.' },
  GenerationMismatch: { code: 'DIS.4703', status: 400, text: 'The generation of the consumer is not the current one.' },

  ScalingLocked: { code: 'DIS.4308', status: 400, text: 'The stream was scaled too often within the last hour.' },

  InvalidMetricStart: { code: 'DIS.4203', status: 400, text: 'Start_time or end_time is invalid.' },
  MetricTooOld: { code: 'DIS.4204', status: 400, text: 'Metrics are kept for 7 days.' },
  InvalidMetricLabel: { code: 'DIS.4209', status: 400, text: 'Label is invalid.' },

  TooManyTags: { code: 'DIS.4601', status: 400, text: 'The resource has too many tags.' },
  ResourceNotFound: { code: 'DIS.4603', status: 400, text: 'The resource does not exist.' },
  TagNotFound: { code: 'DIS.4604', status: 400, text: 'The tag key does not exist.' },
  InvalidTagAction: { code: 'DIS.4605', status: 400, text: 'The action is not supported.' },

  BucketNotFound: { code: 'DIS.4306', status: 400, text: 'The OBS bucket does not exist.' },
  ObjectStoreRefused: { code: 'DIS.4310', status: 400, text: 'OBS cannot be accessed.' },
  UnsupportedDestination: { code: 'DIS.4200', status: 400, text: 'The destination or file type is not supported.' },
  TaskNotFound: { code: 'DIS.4354', status: 400, text: 'Transfer task does not exist.' },
  TaskExists: { code: 'DIS.4355', status: 400, text: 'Transfer task already exists.' },
  TooManyTasks: { code: 'DIS.4357', status: 400, text: 'The stream has too many transfer tasks.' },
  TooManyBackfills: { code: 'DIS.4357', status: 400, text: 'The transfer task has too many unfinished backfills.' },

  Internal: { code: 'DIS.5000', status: 500, text: 'Internal error.' },
  LogReadOnly: {
    code: 'DIS.5001',
    status: 503,
    text: 'The record log is read-only after a storage failure. Restart the server.',
  },
  DiskFull: {
    code: 'DIS.5002',
    status: 507,
    text: 'The disk is full. Nothing of this request was stored.',
  },
  RecordsDamaged: { code: 'DIS.5003', status: 500, text: 'Records are damaged on disk and are not served.' },
  LogUnavailable: {
    code: 'DIS.5005',
    status: 503,
    text: 'The record log cannot be reached, or has too few replicas. Nothing was stored. Try again later.',
  },
  OutcomeUnknown: {
    code: 'DIS.5006',
    status: 504,
    text: 'The record log did not answer in time: the record may have been stored or not.',
  },
  CatalogUnavailable: {
    code: 'DIS.5007',
    status: 503,
    text: 'The catalog cannot be reached or is overloaded. Try again later.',
  },
  NodeNotCurrent: {
    code: 'DIS.5008',
    status: 503,
    text: 'This node was cut off from the others and has yet to catch up. Ask another one, or try again later.',
  },
  ShuttingDown: { code: 'DIS.5004', status: 503, text: 'The server is shutting down.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorName = keyof typeof ERRORS;

/**
 * A refusal that a caller may see. `args` are appended to the text in DIS's own form, each in brackets:
 * `Stream does not exist. [name][project]`; a text with `{}` takes the first argument there instead, where the Java SDK
 * parses it. Callers branch on `kind`, never on text.
 */
export class DomainError extends Error {
  readonly kind: ErrorName;
  readonly code: string;
  readonly status: number;

  constructor(kind: ErrorName, args: readonly (string | number)[] = [], cause?: unknown) {
    const { code, status, text } = ERRORS[kind];
    super(render(text, args), cause === undefined ? undefined : { cause });
    this.name = 'DomainError';
    this.kind = kind;
    this.code = code;
    this.status = status;
  }
}

function render(text: string, args: readonly (string | number)[]): string {
  if (text.includes('{}')) return text.replace('{}', String(args[0]));
  return args.length === 0 ? text : `${text} ${args.map((arg) => `[${arg}]`).join('')}`;
}

/** Narrows a caught value to a DomainError of one kind. */
export function isDomainError(error: unknown, kind?: ErrorName): error is DomainError {
  return error instanceof DomainError && (kind === undefined || error.kind === kind);
}
