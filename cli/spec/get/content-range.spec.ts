import { FakeSocket } from 'httpio/testing'
import { HTTPConnection, type HTTPResponse } from 'httpio'
import { mismatch, parseContentRange, parseUnsatisfied, validatorOf } from '../../src/get/content-range'

/** A 206 with these headers and a body of five bytes. */
async function part(headers: Record<string, string>): Promise<HTTPResponse> {
  const socket = new FakeSocket()
  socket.peer.respond(() => ({ status: 206, headers, body: 'bytes' }))
  const connection = new HTTPConnection('example.test', { socket })
  const response = await connection.request('GET', '/')
  await connection.close()
  return response
}

describe('parseContentRange', () => {
  it.each([
    ['bytes 0-4/5', { first: 0, last: 4, total: 5 }],
    ['bytes 10-14/*', { first: 10, last: 14, total: null }],
    ['bytes 5-4/10', null],
    ['bytes 0-5/5', null],
    ['bytes */5', null],
    ['lines 0-4/5', null],
    [null, null],
  ])('reads %j', (value, range) => {
    expect(parseContentRange(value)).toEqual(range)
  })
})

describe('parseUnsatisfied', () => {
  it.each([
    ['bytes */17', 17],
    ['bytes 0-4/5', null],
    [null, null],
  ])('reads %j', (value, length) => {
    expect(parseUnsatisfied(value)).toBe(length)
  })
})

describe('validatorOf', () => {
  it.each([
    [{ ETag: '"a"', 'Last-Modified': 'then' }, '"a"'],
    [{ ETag: 'W/"a"', 'Last-Modified': 'then' }, 'then'],
    [{ ETag: 'W/"a"' }, null],
    [{}, null],
  ])('takes a strong tag, else the date: %j', async (headers, validator) => {
    expect(validatorOf(await part(headers as Record<string, string>))).toBe(validator)
  })
})

describe('mismatch', () => {
  it('finds nothing wrong with the rest of the same version', async () => {
    expect(mismatch(await part({ 'Content-Range': 'bytes 10-14/15', ETag: '"a"' }), 10, '"a"')).toBe(null)
    expect(mismatch(await part({ 'Content-Range': 'bytes 10-14/15' }), 10, '"a"')).toBe(null)
  })

  it.each([
    ['no range', {}],
    ['another beginning', { 'Content-Range': 'bytes 9-13/14' }],
    ['not the end', { 'Content-Range': 'bytes 10-14/16' }],
    ['an unknown end', { 'Content-Range': 'bytes 10-14/*' }],
    ['another length', { 'Content-Range': 'bytes 10-15/16' }],
    ['another version', { 'Content-Range': 'bytes 10-14/15', ETag: '"b"' }],
  ])('names %s', async (_name, headers) => {
    expect(mismatch(await part(headers as Record<string, string>), 10, '"a"')).not.toBe(null)
  })
})
