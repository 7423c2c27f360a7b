export interface Trace {
  sent(data: string | Uint8Array): void
  received(data: Uint8Array): void
  note(event: string): void
  close(): void
}
export function openTrace(_label: string): Trace | null {
  return null
}
