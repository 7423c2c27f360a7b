import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

/**
 * The import walls: arrows go index -> connection -> {protocol -> llhttp, net}.
 * @param {string[]} files @param {string[]} forbidden @param {string} message
 */
const wall = (files, forbidden, message) => ({
  files,
  rules: {
    'no-restricted-imports': /** @type {import('eslint').Linter.RuleEntry} */ ([
      'error',
      { patterns: [{ group: forbidden, message }] },
    ]),
  },
})

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'reports/', '.stryker-tmp/', '**/*.generated.ts', 'cli/dist/'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'no-control-regex': 'off',
      eqeqeq: ['error', 'always'],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
  },
  { files: ['**/*.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  {
    files: ['**/*.js', '**/*.mjs', 'bench/**', 'demo/**', 'scripts/**'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'setImmediate',
          'setInterval',
          'clearInterval',
          'performance',
          'URL',
          'URLSearchParams',
          'FormData',
          'Blob',
          'AbortController',
          'AbortSignal',
          'fetch',
          'module',
          'require',
          '__dirname',
        ].map(n => [n, 'readonly']),
      ),
    },
  },
  {
    files: ['spec/**/*.ts', 'cli/spec/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['docs/examples/**'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: 'test' }] },
      ],
    },
  },
  wall(
    ['lib/protocol/**/*.ts'],
    ['node:*', '!node:buffer', '../net/*', '../testing/*', '../connection*', '../index*', '../response*'],
    'The protocol core knows no sockets, timers, promises or streams.',
  ),
  {
    files: ['lib/protocol/**/*.ts', 'lib/llhttp/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        'setTimeout',
        'setImmediate',
        'setInterval',
        'queueMicrotask',
        'process',
        'Promise',
      ],
    },
  },
  wall(['lib/llhttp/**/*.ts'], ['node:*', '../*'], 'The parser binding stands alone.'),
  wall(
    ['lib/net/**/*.ts'],
    ['../connection*', '../index*', '../response*', '../testing/*'],
    'Dialling does not know the connection.',
  ),
  wall(
    ['lib/headers.ts', 'lib/errors.ts', 'lib/diagnostics.ts'],
    ['./connection*', './index*', './net/*', './testing/*'],
    'Values and errors stand below the connection.',
  ),
  wall(
    ['lib/testing/**/*.ts'],
    ['../*', '!../headers'],
    'The fakes stand beside the connection: they need only streams and HTTPHeaders.',
  ),
)
