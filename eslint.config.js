// Import boundaries: each folder may import only what stands further right in
//   main → http, demo → streams, dump, apps, auth → cluster → recordlog, catalog, objects, codec → model, platform
// The implementations (recordlog/local, recordlog/kafka, cluster/postgres, objects/directory, objects/s3) are seen by the composition root alone.
import tseslint from 'typescript-eslint';

const IMPLEMENTATIONS = ['recordlog/local', 'recordlog/kafka', 'catalog/postgres', 'cluster/postgres'];

/** Folders of src that code in a folder may not reach, each with its sub-folders. */
const forbidden = {
  model: [
    'platform',
    'apps',
    'metrics',
    'codec',
    'recordlog',
    'catalog',
    'objects',
    'cluster',
    'streams',
    'dump',
    'auth',
    'http',
  ],
  platform: [
    'apps',
    'metrics',
    'codec',
    'recordlog',
    'catalog',
    'objects',
    'cluster',
    'streams',
    'dump',
    'auth',
    'http',
  ],
  codec: ['apps', 'metrics', 'recordlog', 'catalog', 'objects', 'cluster', 'streams', 'dump', 'auth', 'http'],
  recordlog: ['apps', 'metrics', 'catalog', 'objects', 'cluster', 'streams', 'dump', 'auth', 'http'],
  catalog: ['apps', 'metrics', 'recordlog', 'objects', 'codec', 'cluster', 'streams', 'dump', 'auth', 'http'],
  objects: ['apps', 'metrics', 'recordlog', 'catalog', 'codec', 'cluster', 'streams', 'dump', 'auth', 'http'],
  cluster: ['apps', 'metrics', 'recordlog', 'objects', 'codec', 'streams', 'dump', 'auth', 'http'],
  auth: ['recordlog', 'objects', 'codec', 'streams', 'dump', 'apps', 'metrics', 'http'],
  metrics: ['recordlog', 'objects', 'codec', 'streams', 'dump', 'apps', 'auth', 'http'],
  streams: ['objects', 'dump', 'apps', 'auth', 'http', ...IMPLEMENTATIONS],
  apps: ['objects', 'dump', 'auth', 'http', ...IMPLEMENTATIONS],
  dump: ['apps', 'auth', 'http', ...IMPLEMENTATIONS],
  http: [...IMPLEMENTATIONS],
};
const domain = ['streams', 'dump', 'apps', 'metrics', 'auth'];
const drivers = ['fastify', '@fastify/*', 'node:sqlite', 'pg', '@aws-sdk/*', '@platformatic/*'];

const boundaries = Object.entries(forbidden).map(([folder, targets]) => ({
  files: [`src/${folder}/**/*.ts`],
  ignores: ['src/**/*.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { regex: `^(\\.\\./)+(${targets.join('|')})/`, message: `src/${folder} may not import this folder.` },
          { regex: '^(\\.\\./)+(main|serve|config)\\.ts$', message: 'The composition root is imported by nobody.' },
          ...(domain.includes(folder)
            ? [{ group: drivers, message: 'The domain imports no HTTP framework, SQL driver or storage client.' }]
            : []),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'data', 'demo-data'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 500 }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Name what you export.' },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Only src/config.ts reads the environment; take what you need as an argument.',
        },
      ],
    },
  },
  { files: ['src/config.ts', 'test/**', 'bench/**', 'demo/**'], rules: { 'no-restricted-syntax': 'off' } },
  {
    // node:test returns promises that the runner itself awaits.
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          ignoreVoid: false,
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite', 'before', 'after'], package: 'node:test' },
          ],
        },
      ],
    },
  },
  {
    // What a server answers over HTTP has no type until a test has looked at it.
    files: ['test/conformance/**'],
    rules: Object.fromEntries(
      ['argument', 'assignment', 'call', 'member-access', 'return'].map((what) => [
        `@typescript-eslint/no-unsafe-${what}`,
        'off',
      ]),
    ),
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  ...boundaries,
);
