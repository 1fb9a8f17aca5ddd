/** The two forms of records on the wire, told by the content type of the request: for a get, too, which has no body. */

export const JSON_TYPE = 'application/json; charset=utf-8';
/** Without a charset: the Java client compares. */
export const PROTOBUF_TYPE = 'application/x-protobuf';

/** One JSON value a line. */
export const NDJSON_TYPE = 'application/x-ndjson';

export const CSV_TYPE = 'text/csv';

const PROTOBUF = /^\s*application\/x-protobuf\s*(?:;|$)/i;

export function isProtobuf(contentType: string | undefined): boolean {
  return contentType !== undefined && PROTOBUF.test(contentType);
}
