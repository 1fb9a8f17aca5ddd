/** The records of a put request in JSON: payloads are Base64, and null, `""` and absent mean the same. */
import { DomainError } from '../model/errors.ts';
import { hashKey, type KeyHash } from '../model/key-hash.ts';
import type { RecordSource } from '../model/record-source.ts';
import { base64Bytes, decodeBase64 } from './base64.ts';

export interface JsonRecord {
  /** Base64. */
  readonly data: string;
  readonly partition_id?: string | null;
  readonly partition_key?: string | null;
  readonly explicit_hash_key?: string | null;
  /** The producer's own time in ms. */
  readonly timestamp?: number | null;
  /** A piece of a small file, which is refused. */
  readonly extended_info?: unknown;
}

export class JsonRecords implements RecordSource {
  readonly #records: readonly JsonRecord[];
  readonly count: number;

  constructor(records: readonly JsonRecord[]) {
    this.#records = records;
    this.count = records.length;
  }

  problem(index: number): DomainError | undefined {
    const { extended_info } = this.#records[index]!;
    return extended_info === undefined || extended_info === null
      ? undefined
      : new DomainError('Retired', ['extended_info', 'upload of small files']);
  }

  dataBytes(index: number): number {
    return base64Bytes(this.#records[index]!.data);
  }

  writeData(index: number, target: Buffer, offset: number): number {
    return decodeBase64(this.#records[index]!.data, target, offset);
  }

  partitionId(index: number): string {
    return this.#records[index]!.partition_id ?? '';
  }

  explicitHashKey(index: number): string {
    return this.#records[index]!.explicit_hash_key ?? '';
  }

  keyBytes(index: number): number {
    const key = this.#records[index]!.partition_key;
    return key ? Buffer.byteLength(key) : -1;
  }

  hashKey(index: number, target: KeyHash): void {
    hashKey(this.#records[index]!.partition_key!, target);
  }

  writeKey(index: number, target: Buffer, offset: number): void {
    target.write(this.#records[index]!.partition_key!, offset, 'utf8');
  }

  timestamp(index: number): number {
    return this.#records[index]!.timestamp ?? -1;
  }
}
