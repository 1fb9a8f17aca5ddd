import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDomainError, type ErrorName } from '../../model/errors.ts';
import { parseAuthorization } from './parse-authorization.ts';

const SIGNATURE = '0123456789abcdef'.repeat(4);
const REST = `SignedHeaders=host;x-sdk-date, Signature=${SIGNATURE}`;
const SCOPE = '20260102/r-1/dis';

test('the four families are told apart by algorithm and credential', () => {
  const parse = (text: string) => {
    const { family, accessKey, scope, signedHeaders, signature } = parseAuthorization(`${text}, ${REST}`);
    assert.deepEqual(signedHeaders, ['host', 'x-sdk-date']);
    assert.equal(signature.toString('hex'), SIGNATURE);
    return [family, accessKey, scope?.text];
  };
  assert.deepEqual(parse('SDK-HMAC-SHA256 Access=AK'), ['direct', 'AK', undefined]);
  assert.deepEqual(parse(`SDK-HMAC-SHA256 Credential=AK/${SCOPE}/sdk_request`), [
    'chained',
    'AK',
    `${SCOPE}/sdk_request`,
  ]);
  assert.deepEqual(parse(`V11-HMAC-SHA256 Credential=AK/${SCOPE}`), ['derived', 'AK', SCOPE]);
  assert.deepEqual(parse(`V11-HMAC-SHA256 Credential=A/K/${SCOPE}/sdk_request`), [
    'derived-chained',
    'A/K',
    `${SCOPE}/sdk_request`,
  ]);
});

test('the parts may come in any order, with any white space, with a comma too many', () => {
  const { accessKey, scope } = parseAuthorization(
    ` SDK-HMAC-SHA256\tSignature=${SIGNATURE},SignedHeaders=host ,,\t Credential=AK/${SCOPE}/sdk_request, Else=1,`,
  );
  assert.equal(accessKey, 'AK');
  assert.deepEqual(scope, { date: '20260102', region: 'r-1', service: 'dis', text: `${SCOPE}/sdk_request` });
});

test('what is missing or wrong is named', () => {
  const credential = `Credential=AK/${SCOPE}/sdk_request`;
  const refused: readonly (readonly [ErrorName, ...string[]])[] = [
    ['AuthorizationMissing', '', ' \t'],
    [
      'AuthorizationUnreadable',
      'Basic dXNlcjpwYXNz',
      'Bearer x',
      `sdk-hmac-sha256 ${credential}, ${REST}`,
      `SDK-HMAC-SM3 Access=AK, ${REST}`,
      `SDK-ECDSA-P256-SHA256 Access=AK, ${REST}`,
      `SDK-SM2-SM3 Access=AK, ${REST}`,
      `AWS4-HMAC-SHA256 ${credential}, ${REST}`,
      `SDK-HMAC-SHA256 ${credential}, Access=AK, ${REST}`,
      `SDK-HMAC-SHA256 ${credential}, ${credential}, ${REST}`,
      `SDK-HMAC-SHA256 ${credential}, stray, ${REST}`,
      `SDK-HMAC-SHA256 ${credential}, =x, ${REST}`,
      `SDK-HMAC-SHA256 Credential=AK, ${REST}`,
      `SDK-HMAC-SHA256 Credential=AK/${SCOPE}, ${REST}`,
      `SDK-HMAC-SHA256 Credential=AK/${SCOPE}/aws4_request, ${REST}`,
      `SDK-HMAC-SHA256 Credential=${SCOPE}/sdk_request, ${REST}`,
      `V11-HMAC-SHA256 Credential=${SCOPE}, ${REST}`,
      `V11-HMAC-SHA256 Credential=${SCOPE}/sdk_request, ${REST}`,
      `SDK-HMAC-SHA256 Access=AK, SignedHeaders=, Signature=${SIGNATURE}`,
      `SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;, Signature=${SIGNATURE}`,
      `SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x;host, Signature=${SIGNATURE}`,
    ],
    [
      'AuthorizationIncomplete',
      'SDK-HMAC-SHA256',
      'V11-HMAC-SHA256',
      `SDK-HMAC-SHA256 ${REST}`,
      `V11-HMAC-SHA256 Access=AK, ${REST}`,
      `SDK-HMAC-SHA256 ${credential}, Signature=${SIGNATURE}`,
      `SDK-HMAC-SHA256 ${credential}, SignedHeaders=host`,
    ],
    [
      'AccessKeyMissing',
      `SDK-HMAC-SHA256 Access=, ${REST}`,
      `SDK-HMAC-SHA256 Credential=, ${REST}`,
      `SDK-HMAC-SHA256 Credential=/${SCOPE}/sdk_request, ${REST}`,
      `V11-HMAC-SHA256 Credential=/${SCOPE}, ${REST}`,
    ],
    [
      'SignatureWrong',
      ...['', 'x', SIGNATURE.slice(1), `${SIGNATURE}0`, SIGNATURE.toUpperCase(), `${SIGNATURE.slice(1)}g`].map(
        (signature) => `SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=${signature}`,
      ),
    ],
  ];
  for (const [kind, ...headers] of refused) {
    for (const header of headers) {
      assert.throws(
        () => parseAuthorization(header),
        (error) => isDomainError(error, kind),
        header,
      );
    }
  }
});
