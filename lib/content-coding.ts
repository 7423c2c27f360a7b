// Owns what a content coding means for a response: whether there is one to undo, and what it says of the response when that fails. How a
// coding is undone is decompress.ts.
import { CorruptBody, decodeBody, DecodedTooLong, isDecodable } from './decompress'
import { BodyTooLong, InvalidResponse } from './errors'
import type { HTTPHeaders } from './headers'
import type { HTTPResponse } from './response'

/** The body of a response that is in memory, with its coding undone. Rejects as `decodingError` says. */
export async function decodeResponse(
  response: HTTPResponse,
  coding: string,
  maxBodyBytes: number,
): Promise<Buffer> {
  try {
    return await decodeBody(await response.readAll(), coding, maxBodyBytes)
  } catch (error) {
    throw decodingError(error, response)
  }
}

/** What a failed decoding means for the response. The connection is not concerned: the framing was right. */
export function decodingError(error: unknown, response: HTTPResponse): unknown {
  const { method, path } = response
  if (error instanceof DecodedTooLong) {
    return new BodyTooLong(`the response to ${method} ${path}: ${error.message}`, { response, cause: error })
  }
  if (error instanceof CorruptBody) {
    const message = `the response to ${method} ${path} has a corrupt content coding: ${error.message}`
    return new InvalidResponse(message, { response, reason: 'CORRUPT_CONTENT_CODING', cause: error })
  }
  return error
}

/** The coding to undo of a response; null if there is none that can be. */
export function codingOf(headers: HTTPHeaders): string | null {
  const coding = headers.get('content-encoding')
  return coding !== null && isDecodable(coding) ? coding : null
}
