/**
 * Looks into the records of a cut one by one: where each belongs, and its row if its file is made of rows. What is wrong
 * with a record is thrown as ConversionError, which hurts nobody but that record.
 */
import { parseAvroSchema } from '../../codec/rows/avro-schema.ts';
import { ColumnLearner } from '../../codec/rows/infer-columns.ts';
import { memberReader, type MemberReader, type Members } from '../../codec/rows/record-members.ts';
import { compileRows } from '../../codec/rows/row-converter.ts';
import type { Row, RowSchema } from '../../codec/rows/row-schema.ts';
import type { FrameReader } from '../../model/record-batch.ts';
import { fixedPlace, pathFinder, type PathFinder, type Place } from '../paths/path-finder.ts';
import type { DumpSettings } from '../settings/settings.ts';
import type { ConversionJob } from './conversion.ts';

export type RowReader = (frame: FrameReader) => Row;

const NO_MEMBERS: Members = {};

/** Whether files are made of rows with columns, or of payloads as they are. */
export function hasRows({ fileType }: DumpSettings): boolean {
  return fileType !== 'text';
}

/** Columns that are told rather than found: those of the Avro schema. */
export function toldSchema({ form }: DumpSettings): RowSchema | undefined {
  return form.dataSchema === undefined ? undefined : parseAvroSchema(form.dataSchema);
}

/** Makes rows of `schema`; it throws ConversionError for a record that does not fit. */
export function rowReader({ form }: DumpSettings, schema: RowSchema, told: RowSchema | undefined): RowReader {
  const read = membersOf(form, told);
  const toRow = compileRows(schema, sourceOf(form));
  return ({ bytes, dataStart, dataLength }) => toRow(read(bytes, dataStart, dataStart + dataLength));
}

/** Learns where records belong and, where nothing tells the columns, which columns they have. */
export class RecordExaminer {
  readonly #partition: number;
  readonly #place: Place | undefined;
  readonly #find: PathFinder['find'];
  readonly #read: MemberReader | undefined;
  readonly #readsKey: boolean;
  readonly #toRow: ((members: Members) => Row) | undefined;
  readonly #learner: ColumnLearner | undefined;
  /** Of the record that was placed last. */
  #members = NO_MEMBERS;

  constructor({ settings, partition, createdAt, columns }: ConversionJob, told: RowSchema | undefined) {
    const { form } = settings;
    const finder = pathFinder(settings);
    this.#partition = partition;
    this.#place = fixedPlace(settings, createdAt);
    this.#find = finder.find.bind(finder);
    this.#readsKey = settings.pathTemplate?.includes('{key}') ?? false;
    this.#read = hasRows(settings) || finder.readsMembers ? membersOf(form, told) : undefined;
    if (!hasRows(settings)) return;
    if (told !== undefined) this.#toRow = compileRows(told, sourceOf(form));
    else
      this.#learner = new ColumnLearner(
        columns === undefined ? undefined : (JSON.parse(columns) as RowSchema),
        sourceOf(form),
      );
  }

  /** Where the record at which `frame` stands belongs. `time`: its arrival in ms. Throws ConversionError. */
  place(frame: FrameReader, time: number): Place {
    const { bytes, keyStart, keyLength, dataStart, dataLength } = frame;
    if (this.#read !== undefined) this.#members = this.#read(bytes, dataStart, dataStart + dataLength);
    if (this.#place !== undefined) return this.#place;
    const key = this.#readsKey && keyLength >= 0 ? bytes.toString('utf8', keyStart, keyStart + keyLength) : undefined;
    return this.#find({ members: this.#members, arrivedAt: time, key, partition: this.#partition });
  }

  /** Looks whether the record that was placed last can become a row. Throws ConversionError. */
  check(): void {
    this.#toRow?.(this.#members);
    this.#learner?.learn(this.#members);
  }

  /** Columns found so far, with those that were known before; undefined for none. */
  get schema(): RowSchema | undefined {
    return this.#learner?.schema();
  }

  /** JSON of `schema` if the records have added to it. */
  get learned(): string | undefined {
    return this.#learner?.grown === true ? JSON.stringify(this.schema) : undefined;
  }
}

function membersOf({ csvDelimiter, ...form }: DumpSettings['form'], told: RowSchema | undefined): MemberReader {
  return memberReader(sourceOf({ csvDelimiter, ...form }), told, csvDelimiter);
}

/** Settings refuse whatever looks into records of another kind. */
function sourceOf({ dataType }: DumpSettings['form']): 'JSON' | 'CSV' {
  if (dataType === 'JSON' || dataType === 'CSV') return dataType;
  throw new Error(`records of type ${dataType} have no members`);
}
