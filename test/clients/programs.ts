/** Every real client in every form it can speak, and the steps that its program must report. */
import { join } from 'node:path';
import type { Command, Setting } from './run-program.ts';
import { JAVA_DIS, PYTHON_DIS, PYTHON_V3, type PythonClient } from './toolchain.ts';
import { KEY_STORE_PASSWORD, type Trust } from './trust.ts';

export interface ClientProgram {
  /** Client and form, as a failing test names them. */
  readonly name: string;
  readonly form: Pick<Setting, 'signature' | 'form' | 'compression'>;
  readonly steps: readonly string[];
  /** How it is started; over TLS with `trust`, for clients that cannot be told by a setting whom to trust. */
  command(trust: Trust | undefined): Command | Promise<Command>;
}

/** What every client does. */
const COMMON = [
  'create stream',
  'describe stream',
  'list streams',
  'put records',
  'read records back',
  'apps',
  'checkpoints',
  'consumption state',
  'dump task',
  'change partition count',
  'temporary key',
  'wrong key',
  'wrong project',
  'missing stream',
  'delete app',
  'delete stream',
];

const SIGNATURES_OF_DIS = ['S1', 'S4'];
const SIGNATURES_OF_V3 = ['S2', 'S3'];
const FORMS = ['json', 'protobuf'];
const COMPRESSIONS = ['none', 'lz4', 'snappy', 'zstd'];

const pythonDis = SIGNATURES_OF_DIS.flatMap((signature) =>
  FORMS.map((form): ClientProgram => ({
    name: `Python DIS SDK, ${signature}, ${form}`,
    form: { signature, form, compression: 'none' },
    steps: [...COMMON, 'failed records', 'throttled records', 'by stream id', 'metrics'],
    command: () => python(PYTHON_DIS, 'dis_sdk.py'),
  })),
);

const pythonV3 = SIGNATURES_OF_V3.map((signature): ClientProgram => ({
  name: `Python SDK v3, ${signature}`,
  form: { signature, form: 'json', compression: 'none' },
  steps: [...COMMON, 'update stream', 'failed records', 'metrics', 'tags', 'policies', 'project of a region'],
  command: () => python(PYTHON_V3, 'v3_sdk.py'),
}));

const javaDis = FORMS.flatMap((form) =>
  COMPRESSIONS.map((compression): ClientProgram => ({
    name: `Java DIS SDK, ${form}, ${compression}`,
    form: { signature: 'S1', form, compression },
    steps: [...COMMON, 'failed records', 'throttled records', 'cursors', 'update stream', 'auth token'],
    command: (trust) => java(JAVA_DIS.classPath, 'clients.DisSdk', trust),
  })),
);

const nodeCore = SIGNATURES_OF_V3.map((signature): ClientProgram => ({
  name: `Node SDK core, ${signature}`,
  form: { signature, form: 'json', compression: 'none' },
  steps: [...COMMON, 'metrics', 'tags'],
  command: (trust) => ({
    command: process.execPath,
    args: [join(import.meta.dirname, 'node', 'core.ts')],
    ...(trust === undefined ? {} : { env: { NODE_EXTRA_CA_CERTS: trust.certificate } }),
  }),
}));

export const PROGRAMS: readonly ClientProgram[] = [...pythonDis, ...pythonV3, ...javaDis, ...nodeCore];

function python(client: PythonClient, program: string): Command {
  return { command: client.python, args: ['-B', '-W', 'ignore', join(import.meta.dirname, 'python', program)] };
}

export async function java(classPath: string, main: string, trust: Trust | undefined): Promise<Command> {
  const keyStore = await trust?.keyStore();
  const store =
    keyStore === undefined
      ? []
      : [
          `-Djavax.net.ssl.trustStore=${keyStore}`,
          // Where a trust store is named, the SDK opens the one that this property names.
          `-Djavax.net.ssl.keyStore=${keyStore}`,
          `-Djavax.net.ssl.trustStorePassword=${KEY_STORE_PASSWORD}`,
        ];
  // Starts in half the time, and these programs are over before more would pay.
  const short = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m'];
  return { command: 'java', args: [...short, ...store, '-cp', classPath, main] };
}
