/** What must be true of every answer, whatever was asked: its form, its status, its body against its schema. */
import type { IncomingHttpHeaders } from 'node:http';
import { Compile } from 'typebox/compile';
import type { Operation } from '../support/api-document.ts';
import type { FuzzRequest } from './requests.ts';

export interface FuzzAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const REQUEST_ID = /^[0-9a-f]{32}$/;
const CODE = /^DIS\.\d{4}$/;

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';

type Check = (body: unknown) => string | undefined;

export class AnswerRules {
  readonly #checks = new Map<string, Check>();

  constructor(operations: readonly Operation[]) {
    for (const { id, answers } of operations) {
      for (const [status, { content }] of answers) {
        const schema = content?.[JSON_TYPE] ?? content?.[NDJSON_TYPE];
        if (status >= 400 || schema === undefined) continue;
        const validator = Compile(schema);
        this.#checks.set(`${id} ${status}`, (body) => {
          if (validator.Check(body)) return undefined;
          const [first] = validator.Errors(body);
          return `${first?.instancePath} ${first?.message}`;
        });
      }
    }
  }

  /** What is wrong with an answer; undefined when nothing is. */
  fault(request: FuzzRequest, answer: FuzzAnswer): string | undefined {
    const { status, headers, body } = answer;
    if (!REQUEST_ID.test(String(headers['x-request-id']))) return 'no X-Request-Id';
    if (status >= 500) return 'a status above 500';
    if (request.method === 'HEAD') return body.length === 0 ? undefined : 'a body after HEAD';
    if (status >= 400) return refusalFault(answer);
    if (request.method !== request.operation.method) return undefined;
    return this.#successFault(request.operation, answer);
  }

  #successFault({ id, answers }: Operation, { status, headers, body }: FuzzAnswer): string | undefined {
    const described = answers.get(status);
    if (described === undefined) return 'a status that is not described';
    const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
    if (described.content === undefined) {
      if (body.length > 0) return 'a body that is not described';
      return status === 204 || headers['content-length'] === '0' ? undefined : 'an empty answer without its length';
    }
    if (!(type in described.content)) return `the content type ${type}`;
    if (type !== JSON_TYPE && type !== NDJSON_TYPE) return undefined;
    const lines = body.toString('utf8').split('\n');
    for (const value of type === JSON_TYPE ? [body] : lines.slice(0, -1).map((line) => Buffer.from(line))) {
      const parsed = parse(value);
      if (parsed === undefined) return 'a body that is no JSON';
      const wrong = this.#checks.get(`${id} ${status}`)?.(parsed);
      if (wrong !== undefined) return `a body that is not as described: ${wrong}`;
    }
    return undefined;
  }
}

export function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function refusalFault({ headers, body }: FuzzAnswer): string | undefined {
  if (!/^application\/json(?:;|$)/.test(headers['content-type'] ?? '')) return 'a refusal that is no JSON';
  const { errorCode, message, error_code, error_msg } = (parse(body) ?? {}) as Record<string, unknown>;
  if (typeof errorCode !== 'string' || !CODE.test(errorCode)) return 'a refusal without errorCode';
  if (typeof message !== 'string' || message === '') return 'a refusal without message';
  return errorCode === error_code && message === error_msg ? undefined : 'a refusal whose pairs differ';
}
