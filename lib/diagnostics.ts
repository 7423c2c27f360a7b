import { channel } from 'node:diagnostics_channel'
export const connect = channel('httpio:connect')
export const requestSent = channel('httpio:request:sent')
export const responseHead = channel('httpio:response:head')
export const responseComplete = channel('httpio:response:complete')
export const close = channel('httpio:close')
