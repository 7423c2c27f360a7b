// The few numbers that servers and checks have to agree on.

/** Requests that a server takes on one connection, where it has a limit. */
export const LIMIT = 7
/** Below /refusing, a longer request body is answered 413. */
export const REFUSED_ABOVE_BYTES = 102_400
