/**
 * The floor of a get: reads the payload bytes of one answer from a file in one piece, encodes them record by record as
 * Base64 into JSON of the same shape, and writes that. The cursor is the offset in the file.
 *
 *     node get-floor.ts FILE RECORD_BYTES RECORDS_PER_ANSWER        prints its URL
 */
import { openSync, read } from 'node:fs';
import { createServer } from 'node:http';
import { listen } from './listen.ts';

const [path, recordBytes, limit] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const file = openSync(path, 'r');
const time = Date.now();

listen(
  createServer((request, response) => {
    const offset = Number(/partition-cursor=(\d+)/.exec(request.url ?? '')?.[1]);
    const bytes = Buffer.allocUnsafeSlow(recordBytes * limit);
    read(file, bytes, 0, bytes.length, offset, (error, length) => {
      if (error !== null) throw error;
      const text = encode(bytes.subarray(0, length), offset);
      response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length });
      response.end(text, 'latin1');
    });
  }),
);

function encode(bytes: Buffer, offset: number): string {
  let text = '{"records":[';
  for (let at = 0; at < bytes.length; at += recordBytes) {
    const data = bytes.toString('base64', at, at + recordBytes);
    const sequence = (offset + at) / recordBytes;
    text += `${at > 0 ? ',' : ''}{"partition_key":"device-1","sequence_number":"${sequence}","data":"${data}",`;
    text += `"timestamp":${time},"timestamp_type":"CreateTime"}`;
  }
  return `${text}],"next_partition_cursor":"${offset + bytes.length}","millis_behind_latest":0}`;
}
