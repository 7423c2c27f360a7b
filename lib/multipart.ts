// Owns the multipart/form-data encoding of a FormData. It must not know where the bytes go.

/** A form made ready for sending: `bytes` where no file is in it, else null. */
export interface EncodedForm {
  readonly bytes: Uint8Array | null
  readonly lengthBytes: number
  readonly contentType: string
  open(): AsyncIterable<Uint8Array>
}

// File and Blob are told from strings; they need not be Node's own.
type FormValue =
  string | { readonly name: string; readonly size: number; readonly type: string; stream(): unknown }

const RANDOM_BYTES = 18

/**
 * Encodes a form as browsers do (HTML standard, "multipart form data", on RFC 7578). Files are read only when the body
 * is: `open` may be called again and again, and gives the same bytes unless a file changed.
 * @internal
 */
export function encodeFormData(form: FormData): EncodedForm {
  // Loaded now, it is not part of the package's own load time.
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  const boundary = `----httpio-${randomBytes(RANDOM_BYTES).toString('hex')}`
  const parts: (Buffer | Exclude<FormValue, string>)[] = []
  let text = ''
  for (const [name, value] of form as Iterable<[string, FormValue]>) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escape(withCRLF(name))}"`
    if (typeof value === 'string') {
      text += `\r\n\r\n${withCRLF(value)}\r\n`
    } else {
      text += `; filename="${escape(value.name)}"\r\nContent-Type: ${mediaType(value.type)}\r\n\r\n`
      parts.push(Buffer.from(text), value)
      text = '\r\n'
    }
  }
  parts.push(Buffer.from(`${text}--${boundary}--\r\n`))

  let lengthBytes = 0
  for (const part of parts) lengthBytes += Buffer.isBuffer(part) ? part.length : part.size
  return {
    bytes: parts.length === 1 ? (parts[0] as Buffer) : null,
    lengthBytes,
    contentType: `multipart/form-data; boundary=${boundary}`,
    async *open() {
      for (const part of parts) {
        if (Buffer.isBuffer(part)) yield part
        else yield* part.stream() as AsyncIterable<Uint8Array>
      }
    },
  }
}

function withCRLF(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n')
}

function escape(text: string): string {
  return text.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22')
}

/** A File of our own platform can have no other type; one that only looks like it must not break the framing. */
function mediaType(type: string): string {
  return /^[\x20-\x7e]+$/.test(type) ? type : 'application/octet-stream'
}
