/** The form that a stream gives its records, as settings of tasks have it. */
import type { Stream } from '../../model/stream.ts';
import { DEFAULTS, type RecordForm } from './settings.ts';

export function streamForm({ dataType, dataSchema, csvDelimiter }: Stream): RecordForm {
  return { dataType, dataSchema, csvDelimiter: csvDelimiter ?? DEFAULTS.form.csvDelimiter };
}
