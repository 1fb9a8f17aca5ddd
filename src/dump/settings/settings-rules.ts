/**
 * Which settings go together, and with which records. Checked when a task is made or changed, and again when its stream
 * gives its records another form.
 */
import { parseAvroSchema } from '../../codec/rows/avro-schema.ts';
import { DomainError } from '../../model/errors.ts';
import { parseTemplate, type PathTemplate } from '../paths/path-template.ts';
import { DEFAULTS, isPlacedByPlan, type DumpSettings, type FileType, type RecordForm } from './settings.ts';

/** A member of records that paths are made of, and the setting that names it. */
interface NamedMember {
  readonly setting: string;
  readonly path: string;
}

/** Names of columns of CSV without a schema. */
const NUMBERED_COLUMN = /^c[1-9]\d*$/;

/** Throws InvalidBody, InvalidSchema, and UnsupportedDestination for files that cannot be made of such records. */
export function checkSettings(settings: DumpSettings): void {
  const { pathTemplate, partitionFormat, fileType, form, ownSchema } = settings;
  const template = pathTemplate === undefined ? undefined : parseTemplate(pathTemplate);
  if (template !== undefined && partitionFormat !== '') {
    refuse('path_template', 'cannot go together with partition_format');
  }
  checkTimes(settings, partitionFormat !== '' || (template !== undefined && template.timeDepth > 0));
  checkFiles(settings);
  const members = namedMembers(settings, template);
  if (fileType !== 'text' || members.length > 0) checkMembers(members, form);
  else if (ownSchema !== undefined)
    refuse('data_schema', 'is for files of type csv and parquet, and for paths by members');
}

function checkTimes(settings: DumpSettings, timeDirectories: boolean): void {
  const { mergeMegabytes, manifest, latenessSeconds } = settings;
  const needsTime: readonly (readonly [member: string, given: boolean])[] = [
    ['processing_schema', settings.recordTime !== undefined],
    ['time_zone', settings.timeZone !== DEFAULTS.timeZone],
    ['merge_size', mergeMegabytes !== undefined],
    ['manifest', manifest],
  ];
  for (const [member, given] of needsTime) {
    if (given && !timeDirectories) {
      refuse(member, 'needs time directories: a partition_format, or parts of time in path_template');
    }
  }
  if (latenessSeconds !== DEFAULTS.latenessSeconds && !manifest && mergeMegabytes === undefined) {
    refuse('lateness_interval', 'needs manifest or merge_size, which wait for late records');
  }
  if (latenessSeconds !== DEFAULTS.latenessSeconds && isPlacedByPlan(settings)) {
    refuse('lateness_interval', 'needs processing_schema or path_template: by the time of delivery no record is late');
  }
}

function checkFiles({ fileType, csvHeader, form }: DumpSettings): void {
  if (fileType === 'csv' && form.dataType !== 'JSON') unsupported(fileType, 'needs a stream of data_type JSON');
  if (fileType === 'csv' && form.dataSchema === undefined) unsupported(fileType, 'needs a data_schema');
  if (fileType === 'parquet' && form.dataType === 'BLOB') {
    unsupported(fileType, 'needs a stream of data_type JSON or CSV');
  }
  if (fileType !== 'csv' && csvHeader !== DEFAULTS.csvHeader) refuse('csv_header', 'is for files of type csv');
}

function namedMembers({ recordTime }: DumpSettings, template: PathTemplate | undefined): readonly NamedMember[] {
  const own = recordTime === undefined ? [] : [{ setting: 'processing_schema', path: recordTime.field }];
  const parts = template?.parts ?? [];
  return [
    ...own,
    ...parts.flatMap((part) => (part.kind === 'member' ? { setting: 'path_template', path: part.path } : [])),
  ];
}

/** Of CSV it is known which members there are; a JSON record may have any. */
function checkMembers(members: readonly NamedMember[], { dataType, dataSchema }: RecordForm): void {
  if (dataType === 'BLOB') {
    for (const { setting } of members) refuse(setting, 'needs a stream of data_type JSON or CSV');
  }
  const columns = dataSchema === undefined ? undefined : parseAvroSchema(dataSchema).columns;
  if (dataType !== 'CSV') return;
  for (const { setting, path } of members) {
    if (columns === undefined && !NUMBERED_COLUMN.test(path)) {
      refuse(setting, `must name columns of the records: without a data_schema they are c1, c2 and so on, not ${path}`);
    }
    if (columns !== undefined && !columns.some(({ name }) => name === path)) {
      refuse(setting, `must name columns of data_schema, which has no ${path}`);
    }
  }
}

function unsupported(fileType: FileType, reason: string): never {
  throw new DomainError('UnsupportedDestination', ['destination_file_type', fileType, reason]);
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
