// The entry point `httpio/testing`: what tests of programs that use httpio need.
export { FakeSocket } from './testing/fake-socket'
export type { FakePeer } from './testing/fake-peer'
export type { FakeResponse } from './testing/fake-response'
export type { FakeRequest } from './testing/request-reader'
export { playTrace, type PlayTraceOptions } from './testing/play-trace'
