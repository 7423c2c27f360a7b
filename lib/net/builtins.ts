// Owns when Node's network modules are loaded: at their first use, since a program that brings its own transport, or
// only looks at a class, needs none of them. It must not know what they are used for.
/* eslint-disable @typescript-eslint/no-require-imports -- an import would load them with the package */

export const builtins = {
  get dns() {
    return require('node:dns') as typeof import('node:dns')
  },
  get net() {
    return require('node:net') as typeof import('node:net')
  },
  get tls() {
    return require('node:tls') as typeof import('node:tls')
  },
}
