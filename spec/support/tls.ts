// The certificates of the specs: for localhost, 127.0.0.1, ::1 and example.test, one for another host, and one that has expired.
import { readFileSync } from 'node:fs'
import path from 'node:path'

const pem = (name: string) => readFileSync(path.join(__dirname, 'certs', `${name}.pem`), 'utf8')

/** What a client must trust to accept them. */
export const ca = pem('ca')

const key = pem('key')

/** Options of a TLS server that is in order. */
export const localhost = { key, cert: pem('localhost') }
/** Of one whose certificate is for other.test only. */
export const otherHost = { key, cert: pem('other-host') }
/** Of one whose certificate expired on 2025-01-02. */
export const expired = { key, cert: pem('expired') }
