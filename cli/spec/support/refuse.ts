// Owns the trying of command lines that are refused before anything happens: for that no program needs to be started.
import { main } from '../../src/main'

/** The exit status, and what would have been on stderr. */
export async function refuse(...args: string[]): Promise<{ status: number; stderr: string }> {
  let stderr = ''
  const stream = jest.spyOn(process.stderr, 'write').mockImplementation(text => {
    stderr += String(text)
    return true
  })
  try {
    return { status: await main(args), stderr }
  } finally {
    stream.mockRestore()
  }
}
